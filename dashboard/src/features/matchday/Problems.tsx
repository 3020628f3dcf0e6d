import type { Schema } from "../../api/http";
import { type Problem, problemsOf } from "../../lib/problems";
import { words } from "../../messages";
import { Details, Note } from "../../ui/basics";
import { Losses } from "./Losses";
import styles from "./matchday.module.css";
import type { Recording } from "./State";

/** What is wrong, what to do about it, and what was lost and is back. */
export function Problems({
  recording,
  cameras,
  health,
  metrics,
  minutesLeft,
}: {
  recording: Recording | undefined;
  cameras: Schema["CameraStatus"][] | undefined;
  health: Schema["RecordingHealth"] | undefined;
  metrics: Schema["SystemMetrics"] | undefined;
  minutesLeft: number | null | undefined;
}) {
  const problems = problemsOf({ recording, cameras, health, metrics, minutesLeft });
  return (
    <section
      className={styles.problems}
      aria-label={words.matchday.problems.label}
      aria-live="polite"
    >
      {problems.map((problem) => (
        <ProblemNote key={problem.key} problem={problem} />
      ))}
      {recording?.recording && <Losses recording={recording} cameras={cameras ?? []} />}
    </section>
  );
}

function ProblemNote({ problem: { severity, what, todo, details } }: { problem: Problem }) {
  return (
    <Note tone={severity} title={what}>
      {todo}
      <Details lines={details} />
    </Note>
  );
}

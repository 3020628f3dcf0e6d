import type { Schema } from "../../api/http";
import { words } from "../../messages";
import { Details, Note, Progress, type Tone } from "../../ui/basics";

type Status = Schema["ReprovisionStatus"];

const TONES: Record<Status["status"], Tone> = {
  idle: "info",
  in_progress: "info",
  success: "good",
  error: "bad",
};

/** How far the replacing of engines is, or how it ended. */
export function Reprovisioning({ status }: { status: Status }) {
  const { progress } = words.engines.variant;
  const total = Math.max(1, status.total_engines);
  // While it prepares, the server's sentence says what it waits for.
  const waits = status.in_progress && status.current_phase === "preparing";
  return (
    <Note title={progressText(status)} tone={TONES[status.status]}>
      {status.in_progress && (
        <Progress label={progress.label} value={status.engines_stopped / total} />
      )}
      <Details lines={waits || status.status === "error" ? [status.message] : []} />
    </Note>
  );
}

/** The state of a replacement in words. */
export function progressText(status: Status): string {
  const { progress } = words.engines.variant;
  const { total_engines: total, engines_stopped: done, current_phase: phase } = status;
  if (status.status === "error") return progress.failed;
  if (!status.in_progress) return total === 0 ? progress.nothing : progress.done(total);
  if (phase === "stopping") return progress.waiting(total - done);
  return progress.replacing(done, total);
}

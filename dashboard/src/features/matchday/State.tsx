import { type ReactNode, useEffect, useRef, useState } from "react";
import type { MatchEntry } from "../../api/capture";
import type { Schema } from "../../api/http";
import { useConnection } from "../../api/live";
import { clock, day, timeLeft } from "../../lib/format";
import { lostInAll } from "../../lib/losses";
import { factsOf, titleOf } from "../../lib/matchName";
import { type Readiness, readinessOf, recordingInWords, stateOfCamera } from "../../lib/readiness";
import { words } from "../../messages";
import { Details } from "../../ui/basics";
import styles from "./matchday.module.css";
import { StopButton } from "./StopButton";

export type Recording = Schema["Status"]["recording"];
export type Active = Extract<Recording, { recording: true }>;
type Camera = Schema["CameraStatus"];

/** How the recording is, or whether one could begin; `children` is what one is started with. */
export function StateCard({
  recording,
  cameras,
  entry,
  minutesLeft,
  awake,
  children,
}: {
  recording: Recording | undefined;
  cameras: Camera[] | undefined;
  /** What the library knows of the match that is recorded. */
  entry: MatchEntry | undefined;
  minutesLeft: number | null;
  /** Whether the screen is kept on. */
  awake: boolean;
  children: ReactNode;
}) {
  const { state } = words.matchday;
  const on = recording?.recording === true;
  const readiness = readinessOf(cameras);
  const unready = recording !== undefined && !on && cameras !== undefined && !readiness.ready;
  const stale = useStale();
  return (
    <section
      className={`${styles.state} ${lookOf(recording, readiness, unready) ?? ""}`}
      aria-label={state.label}
    >
      <div className={styles.head}>
        <p className={`state-word ${styles.word}`} role="status">
          <span className={styles.dot} aria-hidden />
          {stateWord(recording, readiness)}
        </p>
        {on && <Elapsed seconds={recording.duration} />}
      </div>
      {stale && <p className={styles.stale}>{state.stale}</p>}
      {on && <MatchName matchId={recording.match_id} entry={entry} />}
      <CameraStates cameras={cameras ?? []} recording={recording} />
      {unready && <Unready readiness={readiness} />}
      <p className={`muted ${styles.facts}`}>
        {on && <span>{lostInAll(recording.losses ?? [])}</span>}
        <span>{minutesLeft === null ? state.roomUnknown : state.room(timeLeft(minutesLeft))}</span>
        {awake && <span>{state.awake}</span>}
      </p>
      {on ? <StopButton recording={recording} entry={entry} /> : children}
    </section>
  );
}

function lookOf(recording: Recording | undefined, { ready }: Readiness, unready: boolean) {
  if (recording?.recording) return recording.degraded ? styles.degraded : styles.recording;
  if (unready) return styles.unready;
  return ready ? styles.ready : undefined;
}

function stateWord(recording: Recording | undefined, readiness: Readiness): string {
  if (!recording) return words.matchday.state.unknown;
  return recording.recording ? recordingInWords(recording) : readiness.word;
}

const GRACE_MS = 1_000;

/** Whether the server has been away for longer than a moment. */
function useStale(): boolean {
  const lost = useConnection() === "lost";
  const [late, setLate] = useState(false);
  useEffect(() => {
    setLate(false);
    if (!lost) return;
    const timer = setTimeout(() => setLate(true), GRACE_MS);
    return () => clearTimeout(timer);
  }, [lost]);
  return late;
}

function MatchName({ matchId, entry }: { matchId: string; entry: MatchEntry | undefined }) {
  const { competition, venue, date } = factsOf(matchId, entry?.details);
  const more = [competition, venue, date && day(date)].filter(Boolean);
  return (
    <p>
      <strong>{titleOf(matchId, entry?.details)}</strong>
      <span className="muted">{more.map((each) => ` · ${each}`)}</span>
    </p>
  );
}

/** Each camera with a dot, its name and what it does. */
function CameraStates({
  cameras,
  recording,
}: {
  cameras: Camera[];
  recording: Recording | undefined;
}) {
  if (cameras.length === 0) return null;
  return (
    <ul className={styles.cameras} aria-label={words.matchday.state.cameras}>
      {cameras.map((camera) => {
        const { condition, tone } = stateOfCamera(camera, recording);
        return (
          <li key={camera.id} className={styles[tone]}>
            <span className={styles.dot} aria-hidden />
            <strong>{camera.name}</strong> {words.matchday.camera[condition]}
          </li>
        );
      })}
    </ul>
  );
}

/** What to do about cameras that are missing. */
function Unready({ readiness: { missing } }: { readiness: Readiness }) {
  const { state } = words.matchday;
  return (
    <div>
      <p>{missing.length ? state.offlineTodo : state.noCameraTodo}</p>
      <Details
        lines={missing.flatMap(({ name, last_error }) =>
          last_error ? [`${name}: ${last_error}`] : [],
        )}
      />
    </div>
  );
}

/** Counts on between two messages, so that a slow network does not look like a stopped clock. */
function Elapsed({ seconds }: { seconds: number }) {
  const told = useRef({ seconds, at: performance.now() });
  const [, tick] = useState(0);
  useEffect(() => {
    told.current = { seconds, at: performance.now() };
  }, [seconds]);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), 500);
    return () => clearInterval(timer);
  }, []);
  const now = told.current.seconds + Math.min(5, (performance.now() - told.current.at) / 1000);
  return (
    <p className={styles.time}>
      <span className="sr-only">{words.matchday.state.elapsed} </span>
      {clock(now)}
    </p>
  );
}

import { useState } from "react";
import { Link } from "wouter";
import type { Schema } from "../api/http";
import { useChannel } from "../api/live";
import { timeOfDay } from "../lib/format";
import { problemsOf } from "../lib/problems";
import { Card, Empty, Note } from "../ui/basics";
import { CameraCard, Pictures } from "./matchday/Cameras";
import { Moments } from "./matchday/Moments";
import { StateCard, StopNote } from "./matchday/State";

export function MatchDay() {
  const status = useChannel("status");
  const cameras = useChannel("cameras");
  const health = useChannel("recording_health");
  const metrics = useChannel("system_metrics");
  const [stopped, setStopped] = useState<Schema["StopReport"] | null>(null);
  const recording = status?.recording;
  const minutesLeft = cameras?.disk_minutes_left;
  const problems = problemsOf({
    recording,
    cameras: cameras?.cameras,
    health,
    metrics,
    minutesLeft,
  });
  return (
    <div className="page">
      <h1 className="sr-only">Match day</h1>
      <StateCard recording={recording} minutesLeft={minutesLeft ?? null} onStopped={setStopped} />
      {stopped && !recording?.recording && (
        <StopNote report={stopped} onClose={() => setStopped(null)} />
      )}
      {problems.length > 0 && (
        <section className="stack" aria-label="Problems" aria-live="polite">
          {problems.map(({ key, severity, what, todo }) => (
            <Note key={key} tone={severity} title={what}>
              {todo}
            </Note>
          ))}
        </section>
      )}
      {recording?.recording && <Moments matchId={recording.match_id} />}
      <Pictures cameras={cameras?.cameras ?? []} preview={status?.preview} recording={recording} />
      <div className="columns">
        {(cameras?.cameras ?? []).map((camera) => (
          <CameraCard key={camera.id} camera={camera} recording={recording} health={health} />
        ))}
        <Happenings />
      </div>
    </div>
  );
}

const OF_A_MATCH = new Set(["recording", "alert", "processing"]);

/** What was lost and recovered, and when. */
function Happenings() {
  const events = useChannel("events");
  const those = (events ?? []).filter((event) => OF_A_MATCH.has(event.event_type)).slice(0, 8);
  return (
    <Card title="What happened" tools={<Link href="/system">All events</Link>}>
      {those.length === 0 ? (
        <Empty>Nothing since the server was started.</Empty>
      ) : (
        <ul className="stack small">
          {those.map((event) => (
            <li key={event.id} className="row tight">
              <time className="muted number" dateTime={event.timestamp}>
                {timeOfDay(event.timestamp)}
              </time>
              <span className="grow">{event.message}</span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

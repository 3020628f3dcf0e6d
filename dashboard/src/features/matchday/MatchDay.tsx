import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "wouter";
import { api, ask, type Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { type Event, isOfMatch, newestOfMatch, toneOf } from "../../lib/events";
import { timeOfDay } from "../../lib/format";
import { problemsOf } from "../../lib/problems";
import { Card, Details, Empty, Note } from "../../ui/basics";
import { CameraCard, Pictures } from "./Cameras";
import { Moments } from "./Moments";
import { StateCard, StopNote } from "./State";

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
      <StateCard
        recording={recording}
        cameras={cameras?.cameras}
        minutesLeft={minutesLeft ?? null}
        onStopped={setStopped}
      />
      {stopped && !recording?.recording && (
        <StopNote report={stopped} onClose={() => setStopped(null)} />
      )}
      {problems.length > 0 && (
        <section className="stack" aria-label="Problems" aria-live="polite">
          {problems.map(({ key, severity, what, todo, details }) => (
            <Note key={key} tone={severity} title={what}>
              {todo}
              <Details lines={details ? [details] : []} />
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

const MOST_HAPPENINGS = 8;

/**
 * What was lost and recovered, and when. The channel has the newest of all events, among which
 * those of a busy fleet crowd out the match's: the log is asked for these alone.
 */
export function Happenings() {
  const told = (useChannel("events") ?? []).filter(isOfMatch);
  const newest = told[0];
  const kept = useQuery({
    queryKey: ["happenings", newest?.timestamp, newest?.id],
    placeholderData: (before) => before,
    queryFn: async () => {
      const wanted = [
        { category: "alert" },
        { event_type: "recording" },
        { event_type: "processing" },
      ] satisfies { category?: Event["category"]; event_type?: Event["event_type"] }[];
      return Promise.all(
        wanted.map((query) =>
          ask(api.GET("/events", { params: { query: { ...query, limit: MOST_HAPPENINGS } } })),
        ),
      );
    },
  });
  const those = newestOfMatch([told, ...(kept.data ?? [])], MOST_HAPPENINGS);
  return (
    <Card title="What happened" tools={<Link href="/system">All events</Link>}>
      {those.length === 0 ? (
        <Empty>Nothing yet.</Empty>
      ) : (
        <ul className="stack small">
          {those.map((event) => (
            <li key={`${event.timestamp} ${event.message}`} className="row tight">
              <span className={`mark ${toneOf(event)}`} aria-hidden />
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

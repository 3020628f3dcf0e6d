import { Play, Square } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import type { Schema } from "../../api/http";
import { live } from "../../api/live";
import { clock, duration, plural, timeLeft } from "../../lib/format";
import { matchId, parseMatchId, timeNow, today } from "../../lib/matchName";
import { namesOf, type Readiness, readinessOf, startFailure } from "../../lib/readiness";
import { Button, Check, Details, Field, Note } from "../../ui/basics";
import { useAction, useFeedback } from "../../ui/feedback";

export type Recording = Schema["Status"]["recording"];
type Camera = Schema["CameraStatus"];

export function StateCard({
  recording,
  cameras,
  minutesLeft,
  onStopped,
}: {
  recording: Recording | undefined;
  cameras: Camera[] | undefined;
  minutesLeft: number | null;
  onStopped: (report: Schema["StopReport"]) => void;
}) {
  const on = recording?.recording === true;
  const degraded = on && recording.degraded;
  const readiness = readinessOf(cameras);
  const unready = recording !== undefined && !on && cameras !== undefined && !readiness.ready;
  return (
    <section
      className={["state", on && "recording", degraded && "degraded", unready && "unready"]
        .filter(Boolean)
        .join(" ")}
      aria-label="State"
    >
      <div className="row between">
        <div className="stack">
          <p className="state-word" role="status">
            <span className="dot" aria-hidden />
            {stateWord(recording, readiness)}
          </p>
          {on && <MatchName matchId={recording.match_id} />}
          <p className="muted">
            {minutesLeft === null
              ? "The space left on the disk is not known"
              : `The disk lasts for ${timeLeft(minutesLeft)} of recording`}
          </p>
        </div>
        {on && <Elapsed seconds={recording.duration} />}
      </div>
      {on ? (
        <StopButton recording={recording} onStopped={onStopped} />
      ) : (
        <StartForm
          ready={recording !== undefined}
          cameras={cameras ?? []}
          without={readiness.there.length > 0 && readiness.missing.length > 0 ? readiness : null}
        />
      )}
    </section>
  );
}

function stateWord(recording: Recording | undefined, readiness: Readiness): string {
  if (!recording) return "…";
  if (!recording.recording) return readiness.word;
  return recording.degraded ? "Recording, with losses" : "Recording";
}

function MatchName({ matchId }: { matchId: string }) {
  const { title, competition, date } = parseMatchId(matchId);
  return (
    <p>
      <strong>{title}</strong>
      <span className="muted">
        {competition && ` · ${competition}`}
        {date && ` · ${date}`}
      </span>
    </p>
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
    <p className="state-time">
      <span className="sr-only">Recorded for </span>
      {clock(now)}
    </p>
  );
}

/** The last match that was started here: its second half begins with the same name. */
let lastName = { home: "", away: "", competition: "" };

/** What a start came to that was none. */
class NotStarted extends Error {
  constructor(
    title: string,
    readonly details: string[],
  ) {
    super(title);
  }
}

function StartForm({
  ready,
  cameras,
  without,
}: {
  ready: boolean;
  cameras: Camera[];
  without: Readiness | null;
}) {
  const [failure, setFailure] = useState<NotStarted | null>(null);
  const [name, setName] = useState(lastName);
  // A page that is left open over night starts tomorrow's match tomorrow.
  const [chosenDate, setChosenDate] = useState<string | null>(null);
  const date = chosenDate ?? today();
  const [process, setProcess] = useState(false);
  const set = (part: Partial<typeof name>) => setName((old) => ({ ...old, ...part }));
  const start = useAction(
    async (requireAll: boolean | null) => {
      setFailure(null);
      const order: Schema["StartRecording"] = {
        match_id: matchId({ ...name, date }, timeNow()),
        force: false,
        process_after_recording: process,
        require_all_cameras: requireAll,
      };
      const report = await live.command<Schema["StartReport"]>("start_recording", order);
      if (!report.success) {
        const { title, details } = startFailure(report, cameras);
        throw new NotStarted(title, details);
      }
      lastName = name;
      return report;
    },
    {
      done: (report) => report.message,
      failed: (error) =>
        setFailure(error instanceof NotStarted ? error : new NotStarted(error.message, [])),
    },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate(null);
  };
  return (
    <form className="stack" onSubmit={submit}>
      <Button type="submit" tone="danger" size="huge" disabled={!ready || start.isPending}>
        <Play aria-hidden /> {start.isPending ? "Starting…" : "Start recording"}
      </Button>
      {without && (
        <Button
          size="huge"
          disabled={!ready || start.isPending}
          onClick={() => start.mutate(false)}
        >
          Record with {namesOf(without.there)} only
        </Button>
      )}
      {failure && (
        <Note tone="bad" alert title={failure.message}>
          Nothing is being recorded.
          <Details lines={failure.details} />
        </Note>
      )}
      <div className="fields">
        <Field
          label="Home team"
          value={name.home}
          onChange={(e) => set({ home: e.target.value })}
        />
        <Field
          label="Away team"
          value={name.away}
          onChange={(e) => set({ away: e.target.value })}
        />
        <Field
          label="Competition"
          value={name.competition}
          onChange={(e) => set({ competition: e.target.value })}
        />
        <Field
          label="Date"
          type="date"
          value={date}
          onChange={(e) => setChosenDate(e.target.value || null)}
        />
      </div>
      <Check
        label="Make panorama and archives after the match"
        checked={process}
        onChange={(e) => setProcess(e.target.checked)}
      />
    </form>
  );
}

function StopButton({
  recording,
  onStopped,
}: {
  recording: Extract<Recording, { recording: true }>;
  onStopped: (report: Schema["StopReport"]) => void;
}) {
  const { confirm } = useFeedback();
  const stop = useAction(async () => {
    const { title } = parseMatchId(recording.match_id);
    const yes = await confirm({
      title: `Stop recording ${title}?`,
      body: `${duration(recording.duration)} are recorded. All files are checked when it stops.`,
      action: "Stop recording",
      danger: true,
    });
    if (!yes) return;
    let done = await live.command<Schema["StopReport"]>("stop_recording", { force: false });
    if (done.protected) {
      const sure = await confirm({
        title: "It has only just begun",
        body: `Only ${duration(recording.duration)} are recorded. Stop it all the same?`,
        action: "Stop it all the same",
        danger: true,
      });
      if (!sure) return;
      done = await live.command<Schema["StopReport"]>("stop_recording", { force: true });
    }
    onStopped(done);
  });
  return (
    <Button
      tone="danger"
      size="huge"
      disabled={stop.isPending}
      onClick={() => stop.mutate(undefined)}
    >
      <Square aria-hidden /> {stop.isPending ? "Stopping…" : "Stop recording"}
    </Button>
  );
}

/** What the last stop found: whether every file is good, and what is missing. */
export function StopNote({
  report,
  onClose,
}: {
  report: Schema["StopReport"];
  onClose: () => void;
}) {
  const gaps = report.gaps ?? [];
  const faults = Object.entries(report.camera_stop_results ?? {}).flatMap(([camera, result]) => {
    const fault = result.error ?? result.integrity_error;
    return fault ? [`${camera}: ${fault}`] : [];
  });
  return (
    <Note
      tone={report.success ? (gaps.length ? "warn" : "good") : "bad"}
      alert={!report.success}
      title={
        report.success
          ? `Stopped; all files are good${gaps.length ? `, with ${plural(gaps.length, "gap")}` : ""}`
          : report.message
      }
    >
      <ul>
        {faults.map((fault) => (
          <li key={fault}>{fault}</li>
        ))}
        {gaps.map((gap) => (
          <li key={`${gap.camera} ${gap.from_unix_ns}`}>
            {String(gap.camera)} did not film for {Number(gap.seconds).toFixed(1)} s:{" "}
            {String(gap.reason)}
          </li>
        ))}
      </ul>
      <div className="row">
        {report.match_id && (
          <Link href={`/matches/${encodeURIComponent(report.match_id)}`}>Look at the match</Link>
        )}
        <Button size="small" tone="quiet" onClick={onClose}>
          Close
        </Button>
      </div>
    </Note>
  );
}

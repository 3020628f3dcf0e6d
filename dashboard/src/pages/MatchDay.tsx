import { Flag, Play, Square } from "lucide-react";
import { type FormEvent, useEffect, useRef, useState } from "react";
import { Link } from "wouter";
import { MARKERS, type MarkerKind, markerName, useMarkers } from "../api/capture";
import { api, ask, type Schema } from "../api/http";
import { live, useChannel } from "../api/live";
import { bitrate, clock, duration, plural, timeOfDay } from "../lib/format";
import { matchId, parseMatchId, timeNow, today } from "../lib/matchName";
import { isStale, problemsOf } from "../lib/problems";
import { Badge, Button, Card, Check, Empty, Facts, Field, Note, Switch } from "../ui/basics";
import { useAction, useFeedback } from "../ui/feedback";
import { LiveVideo } from "../video/LiveVideo";

type Recording = Schema["Status"]["recording"];

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

function StateCard({
  recording,
  minutesLeft,
  onStopped,
}: {
  recording: Recording | undefined;
  minutesLeft: number | null;
  onStopped: (report: Schema["StopReport"]) => void;
}) {
  const on = recording?.recording === true;
  const degraded = on && recording.degraded;
  const word = !recording ? "…" : !on ? "Ready" : degraded ? "Recording, with losses" : "Recording";
  const named = on ? parseMatchId(recording.match_id) : null;
  return (
    <section
      className={`state ${on ? "recording" : ""} ${degraded ? "degraded" : ""}`}
      aria-label="State"
    >
      <div className="row between">
        <div className="stack">
          <p className="state-word" role="status">
            <span className="dot" aria-hidden />
            {word}
          </p>
          {named && (
            <p>
              <strong>{named.title}</strong>
              <span className="muted">
                {named.competition && ` · ${named.competition}`}
                {named.date && ` · ${named.date}`}
              </span>
            </p>
          )}
          <p className="muted">
            {minutesLeft === null
              ? "The space left on the disk is not known"
              : `The disk lasts for ${duration(minutesLeft * 60)} of recording`}
          </p>
        </div>
        {on && <Elapsed seconds={recording.duration} />}
      </div>
      {on ? (
        <StopButton recording={recording} onStopped={onStopped} />
      ) : (
        <StartForm ready={recording !== undefined} />
      )}
    </section>
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

function StartForm({ ready }: { ready: boolean }) {
  const [name, setName] = useState(lastName);
  // A page that is left open over night starts tomorrow's match tomorrow.
  const [chosenDate, setChosenDate] = useState<string | null>(null);
  const date = chosenDate ?? today();
  const [process, setProcess] = useState(false);
  const set = (part: Partial<typeof name>) => setName((old) => ({ ...old, ...part }));
  const start = useAction(
    async () => {
      const report = await live.command<Schema["StartReport"]>("start_recording", {
        match_id: matchId({ ...name, date }, timeNow()),
        process_after_recording: process,
      });
      if (!report.success) throw new Error(failedStart(report));
      lastName = name;
      return report;
    },
    { done: (report) => report.message },
  );
  const submit = (event: FormEvent) => {
    event.preventDefault();
    start.mutate(undefined);
  };
  return (
    <form className="stack" onSubmit={submit}>
      <Button type="submit" tone="danger" size="huge" disabled={!ready || start.isPending}>
        <Play aria-hidden /> {start.isPending ? "Starting…" : "Start recording"}
      </Button>
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

function failedStart(report: Schema["StartReport"]): string {
  const reasons = Object.values((report as { errors?: Record<string, string> }).errors ?? {});
  return [report.message, ...reasons].join(": ");
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
        body: `${done.message.replace(/ Use force.*$/, "")} Stop it all the same?`,
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
function StopNote({ report, onClose }: { report: Schema["StopReport"]; onClose: () => void }) {
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

const DELAYS = [0, 5, 10, 20] as const;

function Moments({ matchId }: { matchId: string }) {
  const [secondsAgo, setSecondsAgo] = useState<number>(5);
  const { tell } = useFeedback();
  const markers = useMarkers(matchId);
  const path = { match_id: matchId };
  const after = () => void markers.refetch();
  const remove = useAction(
    (markerId: string) =>
      ask(
        api.DELETE("/api/v1/recordings/{match_id}/markers/{marker_id}", {
          params: { path: { ...path, marker_id: markerId } },
        }),
      ),
    { after },
  );
  const mark = useAction(
    async (kind: MarkerKind) => {
      const made = await ask(
        api.POST("/api/v1/recordings/{match_id}/markers", {
          params: { path },
          body: { kind, text: "", team: "", seconds_ago: secondsAgo },
        }),
      );
      tell(`${markerName(kind)} at ${clock(made.at)}`, {
        undo: () => remove.mutate(made.marker_id),
      });
    },
    { after },
  );
  const newest = (markers.data ?? []).slice(-6).reverse();
  return (
    <Card
      title="Mark a moment"
      tools={
        <fieldset className="row" style={{ border: 0, padding: 0, margin: 0 }}>
          <legend className="sr-only">How long ago it was</legend>
          {DELAYS.map((seconds) => (
            <Button
              key={seconds}
              size="small"
              aria-pressed={secondsAgo === seconds}
              onClick={() => setSecondsAgo(seconds)}
            >
              {seconds ? `${seconds} s ago` : "now"}
            </Button>
          ))}
        </fieldset>
      }
    >
      <div className="markers">
        {MARKERS.map(([kind, name]) => (
          <Button key={kind} onClick={() => mark.mutate(kind)}>
            <Flag size={14} aria-hidden /> {name}
          </Button>
        ))}
      </div>
      {newest.length > 0 && (
        <ul className="row small muted" aria-label="Newest markers">
          {newest.map((marker) => (
            <li key={marker.marker_id}>
              <Badge>
                {clock(marker.at)} {markerName(marker.kind)}
              </Badge>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function Pictures({
  cameras,
  preview,
  recording,
}: {
  cameras: Schema["CameraStatus"][];
  preview: Schema["PreviewStatus"] | undefined;
  recording: Recording | undefined;
}) {
  const [shown, setShown] = useState(true);
  const barred = recording?.recording === true && preview?.preview_while_recording === false;
  const allow = useAction(
    (enabled: boolean) =>
      ask(api.PUT("/api/v1/settings/preview-while-recording", { body: { enabled } })),
    { done: ({ enabled }) => (enabled ? "Viewers may watch the recording" : "Viewers have left") },
  );
  if (cameras.length === 0) return null;
  return (
    <Card
      title="Live"
      tools={
        <>
          {preview && (
            <Switch
              label="Watch while recording"
              checked={preview.preview_while_recording === true}
              onChange={(enabled) => allow.mutate(enabled)}
            />
          )}
          <Button size="small" aria-pressed={shown} onClick={() => setShown(!shown)}>
            {shown ? "Hide" : "Show"}
          </Button>
        </>
      }
    >
      {barred ? (
        <Note title="Nobody watches while this match is recorded">
          The cameras belong to the recording alone. “Watch while recording” shows its own pictures
          without costing it a frame.
        </Note>
      ) : (
        shown && (
          <div className="videos">
            {cameras.map((camera) => (
              <LiveVideo key={camera.id} stream={`cam${camera.id}`} label={camera.name} />
            ))}
          </div>
        )
      )}
    </Card>
  );
}

const STATE_TONES: Record<string, "good" | "bad" | "plain"> = {
  running: "good",
  error: "bad",
  retrying: "bad",
};

function CameraCard({
  camera,
  recording,
  health,
}: {
  camera: Schema["CameraStatus"];
  recording: Recording | undefined;
  health: Schema["RecordingHealth"] | undefined;
}) {
  const key = `camera_${camera.id}`;
  const diagnostics = health?.camera_diagnostics?.[key];
  const recovery = recording?.recording ? recording.camera_recovery[key] : undefined;
  const filmed = recording?.recording ? recording.cameras[key] : undefined;
  const lost = Object.entries(filmed?.dropped ?? camera.dropped).filter(([, count]) => count > 0);
  const age = diagnostics?.latest_segment_age_seconds;
  return (
    <Card
      title={camera.name}
      tools={
        <Badge tone={isStale(camera) ? "bad" : (STATE_TONES[camera.state] ?? "plain")}>
          {isStale(camera) ? "no pictures" : camera.state}
        </Badge>
      }
    >
      <Facts
        facts={[
          ["Frames a second", camera.fps.toFixed(1)],
          ["Bit rate", bitrate(camera.bitrate_bps)],
          [
            "Newest frame",
            camera.last_frame_age_s === null ? "–" : `${camera.last_frame_age_s.toFixed(1)} s ago`,
          ],
          ["Segment age", typeof age === "number" ? duration(age) : "–"],
          ["Gaps", filmed?.gaps ?? "–"],
          ["Brought back", recovery ? `${recovery.attempts}×` : "–"],
          [
            "Frames lost",
            lost.length ? lost.map(([where, n]) => `${n} (${where})`).join(", ") : "none",
          ],
        ]}
      />
      {camera.last_error && <p className="small muted">Last fault: {camera.last_error}</p>}
    </Card>
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

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type MouseEvent, useEffect, useRef, useState } from "react";
import { matchPath, useMatches } from "../api/capture";
import { api, ask, askDone, type Schema, ServerError } from "../api/http";
import { useChannel } from "../api/live";
import { usePanoramaConfig } from "../api/panorama";
import { ago, clock, percent } from "../lib/format";
import { parseMatchId } from "../lib/matchName";
import { qualityInWords } from "../lib/quality";
import {
  Badge,
  Button,
  Card,
  Choice,
  Empty,
  ErrorNote,
  Facts,
  Field,
  Loading,
  Note,
  Progress,
} from "../ui/basics";
import { useAction, useFeedback } from "../ui/feedback";
import { playHls } from "../video/hls";
import { LiveVideo } from "../video/LiveVideo";
import { Job } from "./Match";

type PointPair = Schema["PointPair"];
type Point = [number, number];

const PAIRS = 12;
const BETWEEN_MS = 1_200;

export default function Panorama() {
  const told = useChannel("panorama_status");
  const version = told?.calibration.version ?? null;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Panorama</h1>
        {told && (
          <Badge tone={told.calibration.calibrated ? "good" : "warn"}>
            {told.calibration.calibrated ? `calibration ${version}` : "not calibrated"}
          </Badge>
        )}
      </div>
      <Guide calibrating={told?.calibration} />
      {version !== null && <Result version={version} />}
      <div className="columns">
        <Seam told={told?.panorama} />
        <Versions active={version} />
      </div>
      <FollowCut />
    </div>
  );
}

/** From two pictures to a calibration: with the cameras as they stand, or out of a match. */
function Guide({ calibrating }: { calibrating: Schema["CalibrationStatus"] | undefined }) {
  const queries = useQueryClient();
  const mode = useChannel("pipeline_state")?.mode;
  const matches = useMatches();
  const [progress, setProgress] = useState<string | null>(null);
  const [taken, setTaken] = useState(0);
  const [dull, setDull] = useState(0);
  const [points, setPoints] = useState<PointPair[]>([]);
  const [matchId, setMatchId] = useState("");
  const over = useRef(false);
  useEffect(() => {
    over.current = false;
    return () => {
      over.current = true;
    };
  }, []);
  const finished = (done: Schema["CalibrationCompleted"]) => {
    setPoints([]);
    void queries.invalidateQueries({ queryKey: ["calibrations"] });
    return `${done.message}: ${qualityInWords(done).word.toLowerCase()}`;
  };
  const run = useAction(
    async () => {
      setTaken(0);
      setDull(0);
      try {
        setProgress("Looking through both cameras…");
        await askDone(api.POST("/api/v1/panorama/calibration/start", { body: {} }));
        for (let n = 1; n <= PAIRS && !over.current; n += 1) {
          setProgress(`Pair ${n} of ${PAIRS}: let people move about where both cameras look`);
          const pair = await capturedPair();
          setTaken(pair.frames_captured);
          if (!pair.sharp) setDull((count) => count + 1);
          await new Promise((done) => setTimeout(done, BETWEEN_MS));
        }
        if (over.current) throw new Error("The calibration was left; the pairs are kept");
        setProgress("Matching what both cameras see…");
        return await ask(api.POST("/api/v1/panorama/calibration/complete", { body: { points } }));
      } finally {
        setProgress(null);
      }
    },
    { done: finished },
  );
  const fromMatch = useAction(
    async () => {
      setProgress("Taking pairs from the match and matching them…");
      try {
        return await ask(
          api.POST("/api/v1/panorama/calibration/from-match", {
            body: { match_id: matchId, instants: PAIRS, points },
          }),
        );
      } finally {
        setProgress(null);
      }
    },
    { done: finished },
  );
  const busy = run.isPending || fromMatch.isPending;
  const twoCameras = Object.entries(matches.data ?? {}).filter(
    ([, entry]) => entry.camera_count >= 2 && entry.state === "finished",
  );
  return (
    <Card title="Calibrate">
      <ol className="stack" style={{ paddingLeft: 20, margin: 0 }}>
        <li>
          Mount both cameras on one mast, so that a quarter of each picture is in the other too.
        </li>
        <li>Have people move about where both look; a wet lens is told below.</li>
        <li>Take the pairs. Where little matches, mark the same spots in both pictures by hand.</li>
      </ol>
      {mode === "recording" && (
        <Note tone="warn" title="A match is being recorded">
          The cameras are its own until it ends. A calibration from an earlier match can be made
          now.
        </Note>
      )}
      {progress && (
        <div className="stack" role="status">
          <p>{progress}</p>
          <Progress label="Pairs taken" value={taken / PAIRS} />
        </div>
      )}
      {dull > 2 && (
        <Note tone="warn" title="Some pictures have little detail">
          Is a lens wet, or is it dark?
        </Note>
      )}
      <ErrorNote error={run.error ?? fromMatch.error} />
      <div className="row">
        <Button
          tone="primary"
          disabled={busy || mode === "recording"}
          onClick={() => run.mutate(undefined)}
        >
          {busy ? "Calibrating…" : `Take ${PAIRS} pairs and calibrate`}
        </Button>
        {calibrating?.is_calibrating && !busy && (
          <span className="muted">{calibrating.frames_captured} pairs were taken earlier</span>
        )}
      </div>
      <div className="row">
        <Choice
          label="Or from a match"
          value={matchId}
          onChange={(event) => setMatchId(event.target.value)}
          options={[
            ["", "Choose a match"],
            ...twoCameras.map(([id]) => [id, parseMatchId(id).title] as const),
          ]}
        />
        <Button disabled={busy || !matchId} onClick={() => fromMatch.mutate(undefined)}>
          Calibrate from it
        </Button>
      </div>
      <ByHand points={points} setPoints={setPoints} />
    </Card>
  );
}

const TRIES = 4;

/** A pair of pictures; a camera that has none at the moment is asked again before it is given up. */
async function capturedPair() {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(api.POST("/api/v1/panorama/calibration/capture"));
    } catch (error) {
      const again = error instanceof ServerError && error.status >= 500 && attempt < TRIES;
      if (!again) throw error;
      await new Promise((done) => setTimeout(done, BETWEEN_MS * attempt));
    }
  }
}

/** Marks the same spot in both pictures, first left, then right. */
function ByHand({
  points,
  setPoints,
}: {
  points: PointPair[];
  setPoints: (points: PointPair[]) => void;
}) {
  const [open, setOpen] = useState(false);
  const [first, setFirst] = useState<Point | null>(null);
  const mark = (camera: number, at: Point) => {
    if (camera === 0) setFirst(at);
    else if (first) {
      setPoints([...points, { cam0: first, cam1: at }]);
      setFirst(null);
    }
  };
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Mark points by hand ({points.length})</summary>
      {open && (
        <div className="stack">
          <p className="muted small" role="status">
            {first
              ? "Now the same spot in the right picture."
              : "Choose a spot in the left picture that the right one shows too, such as a corner flag."}
          </p>
          <div className="videos">
            {([0, 1] as const).map((camera) => (
              <Pointed
                key={camera}
                camera={camera}
                points={[
                  ...points.map((pair) => (camera === 0 ? pair.cam0 : pair.cam1) as Point),
                  ...(camera === 0 && first ? [first] : []),
                ]}
                onPoint={(at) => mark(camera, at)}
              />
            ))}
          </div>
          {points.length > 0 && (
            <div>
              <Button size="small" onClick={() => setPoints(points.slice(0, -1))}>
                Take the last one back
              </Button>
            </div>
          )}
        </div>
      )}
    </details>
  );
}

/** A still of a camera with points on it, in its own pixels. */
function Pointed({
  camera,
  points,
  size,
  onPoint,
}: {
  camera: number;
  points: Point[];
  size?: { width: number; height: number };
  onPoint?: (at: Point) => void;
}) {
  const [shown, setShown] = useState<{ width: number; height: number } | null>(null);
  const [failed, setFailed] = useState(false);
  const [at] = useState(() => Date.now());
  const frame = size ?? shown;
  const click = (event: MouseEvent<HTMLElement>) => {
    if (!frame || !onPoint) return;
    const box = event.currentTarget.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * frame.width;
    const y = ((event.clientY - box.top) / box.height) * frame.height;
    onPoint([Math.round(x), Math.round(y)]);
  };
  const name = camera === 0 ? "left" : "right";
  const picture = (
    <>
      <img
        src={`/api/v1/cameras/${camera}/snapshot.jpg?at=${at}`}
        alt={`What the ${name} camera sees, with ${points.length} points`}
        onLoad={({ currentTarget }) =>
          setShown({ width: currentTarget.naturalWidth, height: currentTarget.naturalHeight })
        }
        onError={() => setFailed(true)}
        style={{ width: "100%", aspectRatio: "16 / 9" }}
      />
      {frame && (
        <svg viewBox={`0 0 ${frame.width} ${frame.height}`} aria-hidden="true">
          {points.map(([x, y], n) => (
            <circle
              // biome-ignore lint/suspicious/noArrayIndexKey: points have no other name
              key={n}
              cx={x}
              cy={y}
              r={frame.width / 160}
              fill={`hsl(${(n * 47) % 360} 90% 60%)`}
              stroke="#000"
              strokeWidth={frame.width / 960}
            />
          ))}
        </svg>
      )}
    </>
  );
  if (failed)
    return <Note tone="warn" title={`The ${name} camera gives no picture at the moment`} />;
  return onPoint ? (
    <button
      type="button"
      className="points"
      style={{ border: 0, padding: 0, cursor: "crosshair" }}
      onClick={click}
    >
      {picture}
    </button>
  ) : (
    <div className="points">{picture}</div>
  );
}

function Result({ version }: { version: number }) {
  const details = useQuery({
    queryKey: ["calibrations", version],
    queryFn: () =>
      ask(api.GET("/api/v1/panorama/calibrations/{version}", { params: { path: { version } } })),
  });
  if (!details.data) return details.error ? <ErrorNote error={details.error} /> : <Loading />;
  const { points, quality, pair, pairs } = details.data;
  const { word, advice } = qualityInWords({ ...quality, quality_score: quality.score });
  const lens = (camera: number) => {
    const told = pair[`lens${camera}`] as { width: number; height: number } | undefined;
    return told && { width: told.width, height: told.height };
  };
  const overlap = Number(quality.overlap ?? 0);
  return (
    <Card
      title="What both cameras see"
      tools={
        <Badge tone={word === "Poor" ? "bad" : word === "Good" ? "info" : "good"}>{word}</Badge>
      }
    >
      <p>{advice}</p>
      <div className="videos">
        {([0, 1] as const).map((camera) => (
          <Pointed
            key={camera}
            camera={camera}
            size={lens(camera)}
            points={points.map((each) => (camera === 0 ? each.cam0 : each.cam1) as Point)}
          />
        ))}
      </div>
      <Facts
        facts={[
          ["Matched points", points.length],
          ["Pairs of pictures", pairs],
          ["Views shared", percent(overlap * 100)],
          ["Off by", `${Number(quality.reprojection_error_px ?? 0).toFixed(1)} px`],
        ]}
      />
    </Card>
  );
}

function Seam({ told }: { told: Schema["PanoramaStatus"] | undefined }) {
  const [shown, setShown] = useState(false);
  const { output, seamPixels, change } = usePanoramaConfig();
  const performance = told?.performance as { current_fps?: number; delay_ms?: number } | undefined;
  return (
    <Card
      title="Seam"
      tools={
        <Button aria-pressed={shown} onClick={() => setShown(!shown)}>
          {shown ? "Hide" : "Look at it live"}
        </Button>
      }
    >
      {shown && <LiveVideo stream="panorama" label="Panorama" wide />}
      {shown && told?.preview_active && (
        <Facts
          facts={[
            ["Frames a second", (performance?.current_fps ?? 0).toFixed(1)],
            ["Delay", `${Math.round(performance?.delay_ms ?? 0)} ms`],
          ]}
        />
      )}
      <div className="fields">
        <Choice
          label="Projection"
          value={output?.projection ?? "cylindrical"}
          onChange={(event) =>
            change({ projection: event.target.value as "cylindrical" | "plane" })
          }
          options={[
            ["cylindrical", "Cylinder: any width"],
            ["plane", "Plane: straight lines, below 120°"],
          ]}
        />
        <Choice
          label="Quality of a match's panorama"
          value={output?.quality ?? "balanced"}
          onChange={(event) =>
            change({ quality: event.target.value as "fast" | "balanced" | "high" })
          }
          options={[
            ["fast", "Fast"],
            ["balanced", "Balanced"],
            ["high", "High"],
          ]}
        />
        <Field
          key={seamPixels}
          label="Width of the seam (pixels)"
          type="number"
          min={2}
          max={800}
          defaultValue={seamPixels}
          onBlur={(event) => {
            const width = Number(event.target.value);
            if (width && width !== seamPixels) change({ blend_width: width });
          }}
        />
      </div>
    </Card>
  );
}

function Versions({ active }: { active: number | null }) {
  const queries = useQueryClient();
  const { confirm } = useFeedback();
  const list = useQuery({
    queryKey: ["calibrations"],
    queryFn: () => ask(api.GET("/api/v1/panorama/calibrations")),
  });
  const after = () => void queries.invalidateQueries({ queryKey: ["calibrations"] });
  const use = useAction(
    (version: number) =>
      askDone(
        api.POST("/api/v1/panorama/calibrations/{version}/activate", {
          params: { path: { version } },
        }),
      ),
    { done: ({ message }) => message, after },
  );
  const drop = useAction(
    async () => {
      const yes = await confirm({
        title: "Use no calibration?",
        body: "Panoramas are then both views side by side. Calibrations are kept and can be used again.",
        action: "Use none",
        danger: true,
      });
      return yes ? askDone(api.DELETE("/api/v1/panorama/calibration")) : null;
    },
    { done: (done) => done?.message, after },
  );
  const calibrations = list.data?.calibrations ?? [];
  return (
    <Card
      title="Calibrations"
      tools={
        active !== null && (
          <Button size="small" onClick={() => drop.mutate(undefined)}>
            Use none
          </Button>
        )
      }
    >
      {calibrations.length === 0 ? (
        <Empty>There is none yet.</Empty>
      ) : (
        <ul className="stack">
          {calibrations.map((each) => (
            <li key={each.version} className="row between">
              <span>
                {each.version}: {qualityInWords({ quality_score: each.quality.score }).word},{" "}
                <span className="muted">
                  {ago(each.created_at)},{" "}
                  {each.source === "cameras" ? "with the cameras" : parseMatchId(each.source).title}
                </span>
              </span>
              {each.version === active ? (
                <Badge tone="good">in use</Badge>
              ) : (
                <Button size="small" onClick={() => use.mutate(each.version)}>
                  Use
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

type FollowTrack = { rate_hz: number; x: number[]; y: number[] };
type Keyframe = { at_s: number; x: number; y: number };

/** The cut that follows the play, drawn on the panorama it is cut from, and corrected by hand. */
function FollowCut() {
  const matches = useMatches();
  const [matchId, setMatchId] = useState("");
  const withPanorama = Object.entries(matches.data ?? {}).filter(([, entry]) =>
    entry.files.some((file) => file.file === "panorama_archive.mp4"),
  );
  return (
    <Card title="Following cut">
      {withPanorama.length === 0 ? (
        <Empty>
          It is cut from a match's panorama. Make one on the page of a match, and look at it here.
        </Empty>
      ) : (
        <>
          <Choice
            label="Match"
            value={matchId}
            onChange={(event) => setMatchId(event.target.value)}
            options={[
              ["", "Choose a match"],
              ...withPanorama.map(([id]) => [id, parseMatchId(id).title] as const),
            ]}
          />
          {matchId && <FollowPreview key={matchId} matchId={matchId} />}
        </>
      )}
    </Card>
  );
}

function FollowPreview({ matchId }: { matchId: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const [at, setAt] = useState(0);
  const [aspect, setAspect] = useState(32 / 11);
  const [zoom, setZoom] = useState(1);
  const [keyframes, setKeyframes] = useState<Keyframe[]>([]);
  const [failed, setFailed] = useState<string | null>(null);
  const jobs = (useChannel("jobs")?.jobs ?? []).filter(
    (job) => job.match_id === matchId && job.kind === "follow",
  );
  const newest = jobs[jobs.length - 1];
  const track = useQuery({
    queryKey: ["follow-track", matchId, newest?.state === "done" ? newest.job_id : null],
    queryFn: async (): Promise<FollowTrack | null> => {
      const answer = await fetch(matchPath(matchId, "files", "follow_track.json"));
      return answer.ok ? answer.json() : null;
    },
  });
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    return playHls(element, matchPath(matchId, "vod", "panorama.m3u8"), {
      live: false,
      failed: setFailed,
    });
  }, [matchId]);
  const make = useAction(
    () =>
      ask(
        api.POST("/api/v1/recordings/{match_id}/process", {
          params: { path: { match_id: matchId } },
          body: { steps: ["follow"], follow: { zoom, keyframes } },
        }),
      ),
    { done: () => "The cut is in the queue" },
  );
  const seek = (to: number) => {
    if (video.current) video.current.currentTime = Math.max(0, to);
  };
  const n = Math.round(at * (track.data?.rate_hz ?? 10));
  const looks = track.data && { x: track.data.x[n] ?? 0.5, y: track.data.y[n] ?? 0.5 };
  const height = 1 / zoom;
  const width = Math.min(1, (height * (16 / 9)) / aspect);
  const click = (event: MouseEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    const x = (event.clientX - box.left) / box.width;
    const y = (event.clientY - box.top) / box.height;
    const next = { at_s: Number(at.toFixed(2)), x: Number(x.toFixed(4)), y: Number(y.toFixed(4)) };
    setKeyframes((old) =>
      [...old.filter((k) => Math.abs(k.at_s - next.at_s) > 0.2), next].sort(
        (a, b) => a.at_s - b.at_s,
      ),
    );
  };
  return (
    <div className="stack">
      {failed && <Note tone="bad" alert title={failed} />}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keyframes below are the other way */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: as above */}
      <div className="video wide" style={{ aspectRatio: aspect }} onClick={click}>
        <video
          ref={video}
          muted
          playsInline
          aria-label="Panorama of the match"
          onTimeUpdate={({ currentTarget }) => setAt(currentTarget.currentTime)}
          onLoadedMetadata={({ currentTarget }) =>
            setAspect(currentTarget.videoWidth / Math.max(1, currentTarget.videoHeight))
          }
        />
        {looks && (
          <svg className="aids" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
            <rect
              className="aid strong"
              x={Math.min(1 - width, Math.max(0, looks.x - width / 2)) * 100}
              y={Math.min(1 - height, Math.max(0, looks.y - height / 2)) * 100}
              width={width * 100}
              height={height * 100}
            />
          </svg>
        )}
      </div>
      <div className="row">
        <Button
          onClick={() => (video.current?.paused ? video.current.play() : video.current?.pause())}
        >
          Play or pause
        </Button>
        <Button onClick={() => seek(at - 10)}>−10 s</Button>
        <Button onClick={() => seek(at + 10)}>+10 s</Button>
        <span className="number">{clock(at)}</span>
      </div>
      <p className="muted small">
        {looks
          ? "The frame is what the cut shows. Where it looks wrong, choose the right spot in the picture; then make the cut again."
          : "There is no cut of this match yet. Make one, and its frame is drawn here."}
      </p>
      {keyframes.length > 0 && (
        <ul className="row" aria-label="Places chosen by hand">
          {keyframes.map((key) => (
            <li key={key.at_s}>
              <Button
                size="small"
                aria-label={`Remove the place at ${clock(key.at_s)}`}
                onClick={() => setKeyframes(keyframes.filter((each) => each !== key))}
              >
                {clock(key.at_s)} ✕
              </Button>
            </li>
          ))}
        </ul>
      )}
      <div className="row">
        <Choice
          label="Zoom"
          value={String(zoom)}
          onChange={(event) => setZoom(Number(event.target.value))}
          options={[
            ["1", "Whole height"],
            ["1.3", "Closer"],
            ["1.6", "Close"],
            ["2", "Very close"],
          ]}
        />
        <Button tone="primary" disabled={make.isPending} onClick={() => make.mutate(undefined)}>
          {looks ? "Make the cut again" : "Make the cut"}
        </Button>
      </div>
      {newest && <Job job={newest} />}
    </div>
  );
}

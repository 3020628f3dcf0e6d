import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useMatches } from "../../api/capture";
import { api, ask, askDone, type Schema, ServerError } from "../../api/http";
import { useChannel } from "../../api/live";
import { parseMatchId } from "../../lib/matchName";
import { qualityInWords } from "../../lib/quality";
import { Button, Card, Choice, ErrorNote, Note, Progress } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import { type Point, Pointed, type PointPair } from "./Pointed";

const PAIRS = 12;
const BETWEEN_MS = 1_200;

/** From two pictures to a calibration: with the cameras as they stand, or out of a match. */
export function Guide({ calibrating }: { calibrating: Schema["CalibrationStatus"] | undefined }) {
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

import { useState } from "react";
import { useMatches } from "../../api/capture";
import type { Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { parseMatchId } from "../../lib/matchName";
import { Button, Card, Choice, ErrorNote, Note, Progress } from "../../ui/basics";
import { type Point, Pointed, type PointPair } from "./Pointed";
import { PAIRS, useCalibration } from "./useCalibration";

/** From two pictures to a calibration: with the cameras as they stand, or out of a match. */
export function Guide({ calibrating }: { calibrating: Schema["CalibrationStatus"] | undefined }) {
  const mode = useChannel("pipeline_state")?.mode;
  const [points, setPoints] = useState<PointPair[]>([]);
  const { run, fromMatch, progress, taken, dull } = useCalibration(points, () => setPoints([]));
  const busy = run.isPending || fromMatch.isPending;
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
      <FromMatch disabled={busy} onCalibrate={(matchId) => fromMatch.mutate(matchId)} />
      <ByHand points={points} setPoints={setPoints} />
    </Card>
  );
}

function FromMatch({
  disabled,
  onCalibrate,
}: {
  disabled: boolean;
  onCalibrate: (matchId: string) => void;
}) {
  const matches = useMatches();
  const [matchId, setMatchId] = useState("");
  const twoCameras = Object.entries(matches.data ?? {}).filter(
    ([, entry]) => entry.camera_count >= 2 && entry.state === "finished",
  );
  return (
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
      <Button disabled={disabled || !matchId} onClick={() => onCalibrate(matchId)}>
        Calibrate from it
      </Button>
    </div>
  );
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

import { type MouseEvent, useState } from "react";
import type { Schema } from "../../api/http";
import { Note } from "../../ui/basics";

export type PointPair = Schema["PointPair"];
export type Point = [number, number];

/** A still of a camera with points on it, in its own pixels. */
export function Pointed({
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

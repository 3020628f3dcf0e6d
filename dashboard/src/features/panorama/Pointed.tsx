import { useState } from "react";
import { words } from "../../messages";
import { Note } from "../../ui/basics";
import styles from "./Panorama.module.css";
import { PointSurface } from "./PointSurface";
import type { Point } from "./usePoints";

type Size = { width: number; height: number };

/** A still of a camera with points on it, in its own pixels. */
export function Pointed({
  camera,
  name,
  points,
  size,
  onPoint,
}: {
  camera: number;
  name: string;
  points: Point[];
  size?: Size;
  onPoint?: (at: Point) => void;
}) {
  const [shown, setShown] = useState<Size | null>(null);
  const [failed, setFailed] = useState(false);
  const [at] = useState(() => Date.now());
  const frame = size ?? shown;
  const text = words.panorama.byHand;
  if (failed) return <Note tone="warn" title={text.noPicture(name)} />;
  return (
    <div className={styles.points}>
      <img
        className={styles.still}
        src={`/api/v1/cameras/${camera}/snapshot.jpg?at=${at}`}
        alt={text.still(name, points.length)}
        onLoad={({ currentTarget }) =>
          setShown({ width: currentTarget.naturalWidth, height: currentTarget.naturalHeight })
        }
        onError={() => setFailed(true)}
      />
      {frame && <Dots frame={frame} points={points} />}
      {frame && onPoint && (
        <PointSurface
          label={text.keys(name)}
          onPoint={({ x, y }) =>
            onPoint([Math.round(x * frame.width), Math.round(y * frame.height)])
          }
        />
      )}
    </div>
  );
}

function Dots({ frame, points }: { frame: Size; points: Point[] }) {
  return (
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
  );
}

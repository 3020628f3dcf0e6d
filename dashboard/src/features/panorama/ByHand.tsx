import { useState } from "react";
import { words } from "../../messages";
import { Button, Note } from "../../ui/basics";
import pictures from "../../video/Video.module.css";
import { Pointed } from "./Pointed";
import { useSides } from "./sides";
import type { Point, PointPair } from "./usePoints";

/** Marks the same spot in both pictures, first left, then right. */
export function ByHand({
  points,
  setPoints,
}: {
  points: PointPair[];
  setPoints: (points: PointPair[]) => void;
}) {
  const [open, setOpen] = useState(false);
  const [first, setFirst] = useState<Point | null>(null);
  const sides = useSides();
  const text = words.panorama.byHand;
  const mark = (camera: number, at: Point) => {
    if (camera === 0) setFirst(at);
    else if (first) {
      setPoints([...points, { cam0: first, cam1: at }]);
      setFirst(null);
    }
  };
  return (
    <>
      {points.length > 0 && <Note tone="warn" title={text.unsaved(points.length)} />}
      <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
        <summary>{text.title(points.length)}</summary>
        {open && (
          <div className="stack">
            <p className="muted small" role="status">
              {first ? text.second : text.first}
            </p>
            <div className={pictures.grid}>
              {([0, 1] as const).map((camera) => (
                <Pointed
                  key={camera}
                  camera={camera}
                  name={sides[camera]}
                  points={[
                    ...points.map((pair) => (camera === 0 ? pair.cam0 : pair.cam1)),
                    ...(camera === 0 && first ? [first] : []),
                  ]}
                  onPoint={(at) => mark(camera, at)}
                />
              ))}
            </div>
            {points.length > 0 && (
              <div className="row">
                <Button size="small" onClick={() => setPoints(points.slice(0, -1))}>
                  {text.undo}
                </Button>
                <Button size="small" onClick={() => setPoints([])}>
                  {text.discard}
                </Button>
              </div>
            )}
          </div>
        )}
      </details>
    </>
  );
}

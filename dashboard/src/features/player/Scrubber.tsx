import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { clock } from "../../lib/format";
import { type Thumbnail, thumbnailAt } from "../../lib/vtt";

const STEPS: Record<string, number> = {
  ArrowLeft: -5,
  ArrowRight: 5,
  ArrowDown: -5,
  ArrowUp: 5,
  PageDown: -60,
  PageUp: 60,
};

/** The time of a match as a line that can be dragged, with its markers and thumbnails. */
export function Scrubber({
  at,
  lasts,
  onSeek,
  markers,
  range,
  sheet,
  thumbnails,
}: {
  at: number;
  lasts: number;
  onSeek: (at: number) => void;
  markers: { id: string; at: number; title: string }[];
  range: { from: number | null; to: number | null };
  sheet: string;
  thumbnails: Thumbnail[];
}) {
  const line = useRef<HTMLDivElement>(null);
  const [over, setOver] = useState<number | null>(null);
  const share = (time: number) => `${(Math.min(lasts, Math.max(0, time)) / lasts) * 100}%`;
  const timeAt = (event: PointerEvent) => {
    const box = line.current?.getBoundingClientRect();
    return box ? Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * lasts : 0;
  };
  const key = (event: KeyboardEvent) => {
    const step = STEPS[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? lasts : step && at + step;
    if (to === undefined) return;
    event.preventDefault();
    onSeek(to);
  };
  const thumbnail = over === null ? undefined : thumbnailAt(thumbnails, over);
  return (
    <div
      ref={line}
      className="scrubber"
      role="slider"
      tabIndex={0}
      aria-label="Time of the match"
      aria-valuemin={0}
      aria-valuemax={Math.round(lasts)}
      aria-valuenow={Math.round(at)}
      aria-valuetext={`${clock(at)} of ${clock(lasts)}`}
      onKeyDown={key}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        onSeek(timeAt(event));
      }}
      onPointerMove={(event) => {
        setOver(timeAt(event));
        if (event.buttons) onSeek(timeAt(event));
      }}
      onPointerLeave={() => setOver(null)}
    >
      <div className="scrubber-track">
        <div className="scrubber-done" style={{ width: share(at) }} />
        {range.from !== null && (
          <div
            className="scrubber-clip"
            style={{
              left: share(range.from),
              width: share((range.to ?? range.from + lasts / 200) - range.from),
            }}
          />
        )}
      </div>
      {markers.map((marker) => (
        <div
          key={marker.id}
          className="scrubber-marker"
          style={{ left: share(marker.at) }}
          title={`${clock(marker.at)} ${marker.title}`}
        />
      ))}
      <div className="scrubber-thumb" style={{ left: share(at) }} />
      {over !== null && thumbnail && (
        <div
          className="thumbnail"
          style={{
            left: share(over),
            width: thumbnail.width,
            height: thumbnail.height,
            backgroundImage: `url("${sheet}")`,
            backgroundPosition: `-${thumbnail.x}px -${thumbnail.y}px`,
          }}
        />
      )}
    </div>
  );
}

import { type KeyboardEvent, type PointerEvent, useRef, useState } from "react";
import { clock } from "../../lib/format";
import { type Thumbnail, thumbnailAt } from "../../lib/vtt";
import { words } from "../../messages";
import type { Range } from "./clips";
import styles from "./Scrubber.module.css";

const STEPS: Record<string, number> = {
  ArrowLeft: -5,
  ArrowRight: 5,
  ArrowDown: -5,
  ArrowUp: 5,
  PageDown: -60,
  PageUp: 60,
};

type Props = {
  at: number;
  lasts: number;
  onSeek: (at: number) => void;
  markers: { id: string; at: number; title: string }[];
  range: Range;
  sheet: string;
  thumbnails: Thumbnail[];
};

/** The time of a match as a line that can be dragged, with its markers and thumbnails. */
export function Scrubber({ at, lasts, onSeek, markers, range, sheet, thumbnails }: Props) {
  const line = useRef<HTMLDivElement>(null);
  const [over, setOver] = useState<number | null>(null);
  const share = (time: number) => `${(Math.min(lasts, Math.max(0, time)) / lasts) * 100}%`;
  const timeAt = (event: PointerEvent) => {
    const box = line.current?.getBoundingClientRect();
    return box ? Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)) * lasts : 0;
  };
  const key = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = STEPS[event.key];
    const to = event.key === "Home" ? 0 : event.key === "End" ? lasts : step && at + step;
    if (to === undefined) return;
    event.preventDefault();
    onSeek(to);
  };
  const shown = Math.min(at, lasts);
  return (
    <div
      ref={line}
      className={styles.scrubber}
      role="slider"
      tabIndex={0}
      aria-label={words.player.time}
      aria-valuemin={0}
      aria-valuemax={Math.round(lasts)}
      aria-valuenow={Math.round(shown)}
      aria-valuetext={words.player.timeOf(clock(shown), clock(lasts))}
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
      <div className={styles.track}>
        <div className={styles.done} style={{ width: share(at) }} />
        <ClipOnLine range={range} lasts={lasts} share={share} />
      </div>
      {markers.map((marker) => (
        <div
          key={marker.id}
          className={styles.marker}
          style={{ left: share(marker.at) }}
          title={marker.title}
        />
      ))}
      <div className={styles.thumb} style={{ left: share(at) }} />
      {over !== null && (
        <Preview at={over} left={share(over)} sheet={sheet} thumbnails={thumbnails} />
      )}
    </div>
  );
}

/** The clip that is being set; one that lacks an end is a thin line. */
function ClipOnLine({
  range: { from, to },
  lasts,
  share,
}: {
  range: Range;
  lasts: number;
  share: (time: number) => string;
}) {
  const [begins, ends] = [from ?? to, to ?? from];
  if (begins === null || ends === null || ends < begins) return null;
  const width = share(Math.max(ends - begins, lasts / 200));
  return <div className={styles.clip} style={{ left: share(begins), width }} />;
}

function Preview({
  at,
  left,
  sheet,
  thumbnails,
}: {
  at: number;
  left: string;
  sheet: string;
  thumbnails: Thumbnail[];
}) {
  const thumbnail = thumbnailAt(thumbnails, at);
  if (!thumbnail)
    return (
      <div className={styles.time} style={{ left }}>
        {clock(at)}
      </div>
    );
  const { width, height, x, y } = thumbnail;
  return (
    <div
      className={styles.thumbnail}
      data-thumbnail=""
      style={{
        left,
        width,
        height,
        backgroundImage: `url("${sheet}")`,
        backgroundPosition: `-${x}px -${y}px`,
      }}
    >
      <span className={styles.time}>{clock(at)}</span>
    </div>
  );
}

import { type KeyboardEvent, type MouseEvent, useState } from "react";
import pictures from "../../video/Video.module.css";
import styles from "./Panorama.module.css";

/** A place in a picture, in shares of its width and height. */
export type Place = { x: number; y: number };

const MIDDLE: Place = { x: 0.5, y: 0.5 };
const STEP = 0.01;
const LARGE_STEP = 0.1;
const MOVES: Record<string, Place> = {
  ArrowLeft: { x: -1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
  ArrowUp: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: 1 },
};

const within = (share: number) => Math.min(1, Math.max(0, share));

/**
 * Lies over a picture and tells where it is pressed. By keyboard a cross is moved with the arrow
 * keys (with Shift in large steps), and Enter chooses its place.
 */
export function PointSurface({ label, onPoint }: { label: string; onPoint: (at: Place) => void }) {
  const [cross, setCross] = useState<Place | null>(null);
  const move = (event: KeyboardEvent) => {
    const way = MOVES[event.key];
    if (!way) return;
    event.preventDefault();
    const step = event.shiftKey ? LARGE_STEP : STEP;
    setCross((now) => {
      const { x, y } = now ?? MIDDLE;
      return { x: within(x + way.x * step), y: within(y + way.y * step) };
    });
  };
  const choose = (event: MouseEvent) => {
    // A press of a key has no place and no count of clicks.
    if (event.detail === 0) {
      onPoint(cross ?? MIDDLE);
      return;
    }
    const box = event.currentTarget.getBoundingClientRect();
    onPoint({
      x: within((event.clientX - box.left) / box.width),
      y: within((event.clientY - box.top) / box.height),
    });
  };
  return (
    <button
      type="button"
      className={styles.surface}
      aria-label={label}
      onKeyDown={move}
      onClick={choose}
      onBlur={() => setCross(null)}
    >
      {cross && (
        <svg viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
          <path
            className={`${pictures.aid} ${pictures.strong}`}
            d={`M${cross.x * 100} 0V100M0 ${cross.y * 100}H100`}
          />
        </svg>
      )}
    </button>
  );
}

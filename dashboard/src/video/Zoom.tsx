import { type PointerEvent, type ReactNode, useRef, useState, type WheelEvent } from "react";
import { words } from "../messages";
import { Button } from "../ui/basics";

export type View = { zoom: number; x: number; y: number };

export const WHOLE: View = { zoom: 1, x: 0, y: 0 };
const MOST = 8;

/** Zoomed about a point of the frame (shares of its sides), never showing what is outside. */
export function zoomed(view: View, factor: number, at: { x: number; y: number }): View {
  const zoom = Math.min(MOST, Math.max(1, view.zoom * factor));
  const change = zoom / view.zoom;
  return kept({ zoom, x: at.x - (at.x - view.x) * change, y: at.y - (at.y - view.y) * change });
}

export function panned(view: View, dx: number, dy: number): View {
  return kept({ ...view, x: view.x + dx, y: view.y + dy });
}

function kept({ zoom, x, y }: View): View {
  const least = 1 - zoom;
  const within = (value: number) => Math.min(0, Math.max(least, value)) + 0;
  return { zoom, x: within(x), y: within(y) };
}

const STEP = 0.1;
const MIDDLE = { x: 0.5, y: 0.5 };

const move = (dx: number, dy: number) => (view: View) => panned(view, dx, dy);

const KEYS: Record<string, (view: View) => View> = {
  "+": (view) => zoomed(view, 1.25, MIDDLE),
  "-": (view) => zoomed(view, 0.8, MIDDLE),
  "0": () => WHOLE,
  ArrowLeft: move(STEP, 0),
  ArrowRight: move(-STEP, 0),
  ArrowUp: move(0, STEP),
  ArrowDown: move(0, -STEP),
};

/** A frame whose picture can be zoomed and moved: wheel, fingers, mouse, and by keyboard. */
export function useZoom() {
  const [view, setView] = useState(WHOLE);
  const frame = useRef<HTMLDivElement>(null);
  const fingers = useRef(new Map<number, { x: number; y: number }>());

  const place = (event: { clientX: number; clientY: number }) => {
    const box = frame.current?.getBoundingClientRect();
    if (!box) return { x: 0.5, y: 0.5 };
    return { x: (event.clientX - box.left) / box.width, y: (event.clientY - box.top) / box.height };
  };
  const handlers = {
    onWheel: (event: WheelEvent) => {
      if (!event.ctrlKey && view.zoom === 1 && event.deltaY > 0) return;
      setView((now) => zoomed(now, Math.exp(-event.deltaY / 300), place(event)));
    },
    onPointerDown: (event: PointerEvent) => {
      fingers.current.set(event.pointerId, place(event));
      if (view.zoom > 1) event.currentTarget.setPointerCapture(event.pointerId);
    },
    onPointerMove: (event: PointerEvent) => {
      const before = fingers.current.get(event.pointerId);
      if (!before) return;
      const now = place(event);
      fingers.current.set(event.pointerId, now);
      const [other] = [...fingers.current].filter(([id]) => id !== event.pointerId);
      if (other) {
        const apart = (at: { x: number; y: number }) =>
          Math.hypot(at.x - other[1].x, at.y - other[1].y);
        const middle = { x: (now.x + other[1].x) / 2, y: (now.y + other[1].y) / 2 };
        setView((v) => zoomed(v, apart(now) / Math.max(0.01, apart(before)), middle));
      } else if (view.zoom > 1) {
        setView((v) => panned(v, now.x - before.x, now.y - before.y));
      }
    },
    onPointerUp: (event: PointerEvent) => fingers.current.delete(event.pointerId),
    onPointerCancel: (event: PointerEvent) => fingers.current.delete(event.pointerId),
    onDoubleClick: (event: { clientX: number; clientY: number }) =>
      setView((now) => (now.zoom > 1 ? WHOLE : zoomed(now, 2.5, place(event)))),
    onKeyDown: (event: React.KeyboardEvent) => {
      const change = KEYS[event.key];
      if (!change || (event.target as HTMLElement).tagName === "BUTTON") return;
      event.preventDefault();
      setView(change);
    },
  };
  const style = {
    transform: `translate(${view.x * 100}%, ${view.y * 100}%) scale(${view.zoom})`,
  };
  return { view, setView, frame, handlers, style };
}

export function ZoomFrame({
  label,
  zoom,
  children,
}: {
  label: string;
  zoom: ReturnType<typeof useZoom>;
  children: ReactNode;
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: no group of fields
    <div
      ref={zoom.frame}
      role="group"
      aria-label={words.preview.zoomKeys(label)}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: it listens to keys
      tabIndex={0}
      {...zoom.handlers}
    >
      {children}
    </div>
  );
}

export function ZoomButtons({ zoom }: { zoom: ReturnType<typeof useZoom> }) {
  return (
    <>
      <Button
        size="small"
        icon
        aria-label={words.preview.zoomIn}
        onClick={() => zoom.setView((v) => zoomed(v, 1.5, MIDDLE))}
      >
        +
      </Button>
      <Button
        size="small"
        icon
        aria-label={words.preview.zoomOut}
        onClick={() => zoom.setView((v) => zoomed(v, 1 / 1.5, MIDDLE))}
      >
        −
      </Button>
    </>
  );
}

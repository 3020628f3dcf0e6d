import { useCallback, useState } from "react";
import { useUnsaved } from "./useUnsaved";

/** The same spot in both pictures, in their own pixels. */
export type Point = [number, number];
export type PointPair = { cam0: Point; cam1: Point };

const NAME = "touchline-calibration-points";

/**
 * Points that were marked by hand for the next calibration. Until then they are kept with this tab,
 * over other pages and reloads; who closes it is asked.
 */
export function usePoints() {
  const [points, setShown] = useState<PointPair[]>(saved);
  const setPoints = useCallback((now: PointPair[]) => {
    setShown(now);
    try {
      if (now.length > 0) sessionStorage.setItem(NAME, JSON.stringify(now));
      else sessionStorage.removeItem(NAME);
    } catch {
      // A browser that keeps nothing: they last as long as the page.
    }
  }, []);
  useUnsaved(points.length > 0);
  return { points, setPoints };
}

function saved(): PointPair[] {
  try {
    const found: unknown = JSON.parse(sessionStorage.getItem(NAME) ?? "[]");
    return Array.isArray(found) ? found.filter(isPair) : [];
  } catch {
    return []; // nothing is kept, or it is of another program
  }
}

function isPair(value: unknown): value is PointPair {
  const { cam0, cam1 } = (value ?? {}) as Partial<PointPair>;
  return [cam0, cam1].every(
    (point) => Array.isArray(point) && point.length === 2 && point.every(Number.isFinite),
  );
}

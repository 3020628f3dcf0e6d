import { useEffect, useRef, useState } from "react";
import { useHashState } from "../../lib/hashLocation";
import type { Playback } from "./usePlayback";

const EVERY_MS = 1000;

/** The second of the match that an address asks for; null where it says none. */
export function secondsOf(text: string | null): number | null {
  const seconds = text ? Number(text) : Number.NaN;
  return Number.isFinite(seconds) && seconds >= 0 ? seconds : null;
}

/** A time as it stands in an address: whole seconds while it runs; nothing for the beginning. */
export function timeText(at: number, playing: boolean): string | null {
  const text = String(playing ? Math.floor(at) : Math.round(at * 10) / 10);
  return text === "0" ? null : text;
}

/** Where the address of the page says that playing begins, when it is opened. */
export function useStartTime(): number {
  const [t] = useHashState("t");
  const [start] = useState(() => secondsOf(t) ?? 0);
  return start;
}

/**
 * Keeps the time in the page's address, so that a reload and a copied address come back to it: at
 * most once a second, and at once when it is paused. Goes where a changed address says.
 */
export function useUrlTime({ at, playing, seek }: Pick<Playback, "at" | "playing" | "seek">) {
  const [t, setT] = useHashState("t");
  const written = useRef(t);
  const writtenAt = useRef(Number.NEGATIVE_INFINITY);
  const played = useRef(playing);
  const text = timeText(at, playing);
  useEffect(() => {
    const paused = played.current && !playing;
    played.current = playing;
    if (text === written.current) return;
    const write = () => {
      written.current = text;
      writtenAt.current = performance.now();
      setT(text);
    };
    if (paused) {
      write();
      return;
    }
    const timer = setTimeout(write, Math.max(0, writtenAt.current + EVERY_MS - performance.now()));
    return () => clearTimeout(timer);
  }, [text, playing, setT]);
  useEffect(() => {
    if (t === written.current) return;
    written.current = t;
    seek(secondsOf(t) ?? 0);
  }, [t, seek]);
}

import { useCallback, useEffect, useState } from "react";
import { beside } from "./frames";
import { filmedAt, timeOf } from "./sync";
import { follow, usePictures } from "./usePictures";

const TICK_MS = 150;

export type Playback = ReturnType<typeof usePlayback>;
type Pictures = Pick<ReturnType<typeof usePictures>, "tracks" | "wanted">;

/** The clock of a match that is played, and what moves it. */
export function usePlayback(matchId: string, duration: number, startAt = 0) {
  const pictures = usePictures(matchId, startAt);
  const { tracks, wanted, attach, failures, footage } = pictures;
  // A match that runs, or whose manifest is lost, is as long as its footage says.
  const lasts = Math.max(0.1, duration, footage ?? 0);
  const [at, setAt] = useState(startAt);
  const [playing, setPlaying] = useState(false);
  const [rate, setRate] = useState("1");

  const seek = useCallback(
    (to: number) => {
      const within = Math.min(Math.max(0, to), lasts);
      wanted.current.at = within;
      setAt(within);
      for (const { video, stretches } of tracks.current.values()) {
        const time = timeOf(stretches, within);
        if (time !== null) video.currentTime = time;
      }
    },
    [lasts, tracks, wanted],
  );
  const step = (by: number) => seek(wanted.current.at + by);
  const play = useCallback(
    (on: boolean) => {
      wanted.current.playing = on;
      setPlaying(on);
      for (const { video } of tracks.current.values()) {
        if (on)
          video.play().catch(() => undefined); // paused again before it began
        else video.pause();
      }
    },
    [tracks, wanted],
  );
  const frame = (by: -1 | 1) => {
    play(false);
    const [first] = tracks.current.values();
    if (!first) return;
    const instant = filmedAt(first.stretches, beside(first.frames, first.video.currentTime, by));
    if (instant !== null) seek(instant);
  };
  const changeRate = (text: string) => {
    setRate(text);
    wanted.current.rate = Number(text);
    for (const { video } of tracks.current.values()) video.playbackRate = Number(text);
  };
  useClock(pictures, lasts, setAt, play);

  const toggle = () => play(!wanted.current.playing);
  return {
    at,
    lasts,
    playing,
    rate,
    failures,
    attach,
    seek,
    step,
    frame,
    play,
    toggle,
    changeRate,
  };
}

/** Reads the time off the first picture, which leads; the others follow it. */
function useClock(
  { tracks, wanted }: Pictures,
  lasts: number,
  setAt: (at: number) => void,
  play: (on: boolean) => void,
) {
  useEffect(() => {
    const timer = setInterval(() => {
      const [first, ...others] = tracks.current.values();
      if (!first) return;
      const instant = filmedAt(first.stretches, first.video.currentTime);
      if (instant === null) return;
      if (first.video.ended && wanted.current.playing) play(false);
      if (!first.video.seeking) {
        wanted.current.at = instant;
        setAt(Math.min(lasts, Math.max(0, instant)));
      }
      follow(others, instant, wanted.current.rate);
    }, TICK_MS);
    return () => clearInterval(timer);
  }, [lasts, play, setAt, tracks, wanted]);
}

import { act, cleanup, renderHook } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Stretch } from "../../video/hls";

type Options = { timed: (stretches: Stretch[]) => void; failed: (error: Error) => void };
const players = vi.hoisted(() => new Map<string, Options>());
vi.mock("../../video/hls", () => ({
  playHls: (_: HTMLVideoElement, url: string, options: Options) => {
    players.set(url.split("/").at(-1)?.replace(".m3u8", "") ?? "", options);
    return () => undefined;
  },
}));

import { usePlayback } from "./usePlayback";

/** As much of a video as the player uses. */
class FakeVideo {
  currentTime = 0;
  playbackRate = 1;
  paused = true;
  ended = false;
  seeking = false;
  play = async () => {
    this.paused = false;
  };
  pause = () => {
    this.paused = true;
  };
}

// The second camera began half a second later.
const FOOTAGE: Record<string, Stretch[]> = {
  cam0: [{ start: 0, duration: 100, filmedAt: 0 }],
  cam1: [{ start: 0, duration: 99.5, filmedAt: 0.5 }],
};

beforeEach(() => vi.useFakeTimers());
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  players.clear();
});

function watched(startAt = 0, ...cameras: string[]) {
  const { result } = renderHook(() => usePlayback("derby", 100, startAt));
  const videos = cameras.map((camera) => {
    const video = new FakeVideo();
    act(() => void result.current.attach(camera, video as unknown as HTMLVideoElement));
    act(() => players.get(camera)?.timed(FOOTAGE[camera] ?? []));
    return video;
  });
  return { now: () => result.current, videos: videos as [FakeVideo, FakeVideo] };
}

const tick = () => act(() => vi.advanceTimersByTime(150));

test("all pictures show the instant that is sought, within the match", () => {
  const { now, videos } = watched(0, "cam0", "cam1");
  act(() => now().seek(30));
  expect(videos.map((video) => video.currentTime)).toEqual([30, 29.5]);
  act(() => now().step(-10));
  expect(now().at).toBe(20);
  act(() => now().seek(-5));
  expect(now().at).toBe(0);
  act(() => now().seek(1000));
  expect(now().at).toBe(100);
});

test("a match that is opened at a time begins there, with every picture", () => {
  const { now, videos } = watched(63, "cam0", "cam1");
  expect(now().at).toBe(63);
  expect(videos.map((video) => video.currentTime)).toEqual([63, 62.5]);
});

test("the first picture leads the clock, and the other follows it", () => {
  const { now, videos } = watched(0, "cam0", "cam1");
  act(() => now().toggle());
  expect(videos.every((video) => !video.paused)).toBe(true);
  videos[0].currentTime = 10;
  videos[1].currentTime = 9.4;
  tick();
  expect(now().at).toBe(10);
  expect(videos[1].playbackRate).toBeCloseTo(1.05);
  videos[1].currentTime = 3;
  tick();
  expect(videos[1].currentTime).toBe(9.5);
});

test("the end of the footage is a pause", () => {
  const { now, videos } = watched(0, "cam0");
  act(() => now().play(true));
  videos[0].ended = true;
  tick();
  expect(now().playing).toBe(false);
  expect(videos[0].paused).toBe(true);
});

test("a speed is that of every picture, also of one that is shown later", () => {
  const { now, videos } = watched(0, "cam0");
  act(() => now().changeRate("2"));
  act(() => now().seek(40));
  act(() => now().play(true));
  const later = new FakeVideo();
  act(() => void now().attach("cam1", later as unknown as HTMLVideoElement));
  act(() => players.get("cam1")?.timed(FOOTAGE.cam1 ?? []));
  expect([videos[0].playbackRate, later.playbackRate]).toEqual([2, 2]);
  expect(later.currentTime).toBe(39.5);
  expect(later.paused).toBe(false);
});

test("a step by a frame pauses and moves all pictures", () => {
  const { now, videos } = watched(0, "cam0", "cam1");
  act(() => now().play(true));
  act(() => now().seek(10));
  act(() => now().frame(1));
  expect(now().playing).toBe(false);
  expect(videos[0].currentTime).toBeCloseTo(10 + 1 / 30);
  expect(videos[1].currentTime).toBeCloseTo(9.5 + 1 / 30);
  act(() => now().frame(-1));
  expect(videos[0].currentTime).toBeCloseTo(10);
});

test("a picture that cannot be played says why, until it is shown no more", () => {
  const { result } = renderHook(() => usePlayback("derby", 100));
  let end: () => void = () => undefined;
  act(() => {
    end = result.current.attach("cam0", new FakeVideo() as unknown as HTMLVideoElement);
  });
  act(() => players.get("cam0")?.failed(new Error("no MP4")));
  expect(result.current.failures).toEqual({ cam0: new Error("no MP4") });
  act(() => void end());
  expect(result.current.failures).toEqual({});
});

import { expect, test } from "vitest";
import { beside, frameLength, noFrames, watchFrames } from "./frames";

type Note = (now: number, frame: { mediaTime: number }) => void;

function watched() {
  const frames = noFrames();
  let next: Note = () => undefined;
  const video = {
    requestVideoFrameCallback: (note: Note) => {
      next = note;
      return 1;
    },
    cancelVideoFrameCallback: () => undefined,
  };
  watchFrames(video as unknown as HTMLVideoElement, frames);
  const shows = (...times: number[]) => {
    for (const mediaTime of times) next(0, { mediaTime });
  };
  return { frames, shows };
}

test("the length of a frame is learnt, whatever is left out or jumped over", () => {
  const { frames, shows } = watched();
  expect(frameLength(frames)).toBeCloseTo(1 / 30);
  shows(0, 0.04, 0.08, 0.16, 0.2, 30, 30.04, 30.12, 5);
  expect(frameLength(frames)).toBeCloseTo(0.04);
  expect(frames.at).toBe(5);
});

test("a step ends in the middle of the next frame", () => {
  const { frames, shows } = watched();
  shows(1, 1.04, 1.08);
  expect(beside(frames, 1.09, 1)).toBeCloseTo(1.14);
  expect(beside(frames, 1.09, -1)).toBeCloseTo(1.06);
  // Sought to somewhere else, and not shown yet: near, too, as by a key that is held down.
  expect(beside(frames, 1.14, 1)).toBeCloseTo(1.18);
  expect(beside(frames, 1.06, -1)).toBeCloseTo(1.02);
  expect(beside(frames, 3.02, 1)).toBeCloseTo(3.06);
  expect(beside(noFrames(), 0.001, -1)).toBe(0);
});

test("a browser that tells no frames has steps all the same", () => {
  const frames = noFrames();
  watchFrames(document.createElement("video"), frames)();
  expect(beside(frames, 2, 1)).toBeCloseTo(2 + 1 / 30);
});

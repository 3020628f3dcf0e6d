import { expect, test } from "vitest";
import { correction, filmedAt, timeOf } from "./sync";

// Ten seconds, a gap of five, ten more: the playlist knows no gap, the clock does.
const stretches = [
  { start: 0, duration: 10, filmedAt: 1000 },
  { start: 10, duration: 10, filmedAt: 1015 },
];

test("a time of the video is a time of the day, over gaps too", () => {
  expect(filmedAt(stretches, 4)).toBe(1004);
  expect(filmedAt(stretches, 12)).toBe(1017);
  expect(timeOf(stretches, 1017)).toBe(12);
  expect(filmedAt([], 1)).toBeNull();
});

test("in a gap the picture before it stands still", () => {
  expect(timeOf(stretches, 1012)).toBeCloseTo(9.96);
  expect(timeOf(stretches, 900)).toBe(0);
  expect(timeOf(stretches, 5000)).toBeCloseTo(19.96);
});

test("a picture that is a little late hurries, one that is far off jumps", () => {
  expect(correction(0.01, 1)).toEqual({ seek: false, rate: 1 });
  expect(correction(0.1, 1).rate).toBeCloseTo(1.05);
  expect(correction(-0.38, 2).rate).toBeCloseTo(1.7);
  expect(correction(3, 1).seek).toBe(true);
});

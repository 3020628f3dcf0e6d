import { expect, test } from "vitest";
import { clipName, clipPath, cutAround, cutOf, pageLink } from "./clips";

test.each([
  ["in the middle", 60, 100, { from: 52, to: 64 }],
  ["at the beginning", 3, 100, { from: 0, to: 7 }],
  ["at the very beginning", 0, 100, { from: 0, to: 4 }],
  ["at the end", 98, 100, { from: 90, to: 100 }],
  ["after the end", 130, 100, { from: 92, to: 100 }],
  ["in a match of two seconds", 1, 2, { from: 0, to: 2 }],
])("the clip of a marker %s stays within the match", (_, at, lasts, cut) => {
  expect(cutAround(at, lasts)).toEqual(cut);
});

test("a clip needs both ends, in order", () => {
  expect(cutOf({ from: 1, to: 3 })).toEqual({ from: 1, to: 3 });
  expect(cutOf({ from: 3, to: 3 })).toBeNull();
  expect(cutOf({ from: 4, to: 3 })).toBeNull();
  expect(cutOf({ from: null, to: 3 })).toBeNull();
});

test("the server is asked for the clip to the millisecond", () => {
  expect(clipPath("a b", "cam1", { from: 1.23456, to: 9 })).toBe(
    "/api/v1/recordings/a%20b/clip?camera=cam1&start=1.235&end=9.000",
  );
});

test("a clip is called as people call the match, with its time", () => {
  expect(clipName("SV Süd – FC Nord", 3.9)).toBe("SV Süd – FC Nord 0-03.mp4");
  expect(clipName("A/B: Cup", 5025)).toBe("A-B- Cup 1-23-45.mp4");
});

test("a link leads to the match and its moment, on this server", () => {
  const here = `${window.location.origin}/`;
  expect(pageLink("2026-11-27 Süd", 63.04)).toBe(`${here}#/matches/2026-11-27%20S%C3%BCd?t=63`);
  expect(pageLink("a", 63.27)).toBe(`${here}#/matches/a?t=63.3`);
  expect(pageLink("a", 0)).toBe(`${here}#/matches/a`);
});

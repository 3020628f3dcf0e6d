import { expect, test } from "vitest";
import { panned, WHOLE, zoomed } from "./Zoom";

test("what is under the finger stays there", () => {
  const view = zoomed(WHOLE, 2, { x: 0.25, y: 0.5 });
  expect(view).toEqual({ zoom: 2, x: -0.25, y: -0.5 });
  expect(zoomed(view, 0.5, { x: 0.25, y: 0.5 })).toEqual(WHOLE);
});

test("nothing outside of the picture is ever shown", () => {
  const view = zoomed(WHOLE, 2, { x: 0, y: 0 });
  expect(panned(view, 5, 5)).toEqual({ zoom: 2, x: 0, y: 0 });
  expect(panned(view, -5, -5)).toEqual({ zoom: 2, x: -1, y: -1 });
  expect(zoomed(WHOLE, 100, { x: 0.5, y: 0.5 }).zoom).toBe(8);
  expect(zoomed(view, 0.01, { x: 1, y: 1 })).toEqual(WHOLE);
});

import { expect, test } from "vitest";
import type { Schema } from "../api/http";
import { readinessOf, startFailure } from "./readiness";

const camera = (id: number, name: string, more: Partial<Schema["CameraStatus"]> = {}) => ({
  id,
  name,
  kind: "rtsp",
  state: "running" as const,
  recovering: false,
  fps: 30,
  bitrate_bps: 1,
  last_frame_age_s: 0.1,
  dropped: {},
  last_error: null,
  ...more,
});
const LEFT = camera(0, "LEFT");
const RIGHT = camera(1, "RIGHT");
const LOST = camera(1, "RIGHT", { state: "error", last_error: "gst-resource-error-quark" });
const UNPLUGGED = camera(1, "RIGHT", { state: "starting", recovering: true });

test.each([
  [[LEFT, RIGHT], "Ready"],
  [[camera(0, "LEFT", { state: "idle", last_frame_age_s: null }), RIGHT], "Ready"],
  [[LEFT, LOST], "Not ready: RIGHT does not answer"],
  [[LEFT, camera(1, "RIGHT", { last_frame_age_s: 9 })], "Not ready: RIGHT does not answer"],
  [[LEFT, UNPLUGGED], "Not ready: RIGHT does not answer"],
  [[LEFT, camera(1, "RIGHT", { state: "starting" })], "Ready"],
  [[LOST], "Not ready: RIGHT does not answer"],
  [[camera(0, "LEFT", { state: "error" }), LOST], "Not ready: no camera answers"],
  [[LEFT, LOST, camera(2, "GOAL", { state: "error" })], "Not ready: RIGHT and GOAL do not answer"],
  [[], "Not ready: no camera is configured"],
])("the state is honest about cameras that send nothing", (cameras, word) => {
  expect(readinessOf(cameras).word).toBe(word);
});

test("it is known without whom a recording can begin", () => {
  const { ready, missing, there } = readinessOf([LEFT, LOST]);
  expect(ready).toBe(false);
  expect([missing, there].map((those) => those.map(({ name }) => name))).toEqual([
    ["RIGHT"],
    ["LEFT"],
  ]);
});

test("before anything was told nothing is claimed", () => {
  expect(readinessOf(undefined)).toMatchObject({ ready: false, word: "…" });
});

test("a start that failed names the camera, and keeps the words of programs apart", () => {
  const failed = {
    success: false,
    message: "Failed to start all required cameras",
    cameras_failed: [1],
    errors: { camera_1: "gst-resource-error-quark: Could not open (7)" },
  };
  expect(startFailure(failed, [LEFT, LOST])).toEqual({
    title: "The recording did not start: RIGHT does not answer",
    details: ["RIGHT: gst-resource-error-quark: Could not open (7)"],
  });
  expect(startFailure({ success: false, message: "Already recording match: m1" }, [LEFT])).toEqual({
    title: "Already recording match: m1",
    details: [],
  });
  const none = { success: false, message: "Failed to start any cameras", failed_cameras: [0, 1] };
  expect(startFailure(none, [LEFT, RIGHT]).title).toBe(
    "The recording did not start: LEFT and RIGHT do not answer",
  );
});

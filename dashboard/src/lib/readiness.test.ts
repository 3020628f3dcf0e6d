import { expect, test } from "vitest";
import { active, camera, idle, LEFT, LOST, RIGHT } from "./fixtures";
import { readinessOf, recordingInWords, startFailure, stateOfCamera } from "./readiness";

const UNPLUGGED = camera(1, "RIGHT", { state: "starting", recovering: true });

test.each([
  [[LEFT, RIGHT], "Ready"],
  [[camera(0, "LEFT", { state: "idle", last_frame_age_s: null }), RIGHT], "Ready"],
  [[LEFT, LOST], "Not ready: RIGHT is offline"],
  [[LEFT, camera(1, "RIGHT", { last_frame_age_s: 9 })], "Not ready: RIGHT is offline"],
  [[LEFT, UNPLUGGED], "Not ready: RIGHT is offline"],
  [[LEFT, camera(1, "RIGHT", { state: "starting" })], "Ready"],
  [[LOST], "Not ready: RIGHT is offline"],
  [[camera(0, "LEFT", { state: "error" }), LOST], "Not ready: all cameras are offline"],
  [[LEFT, LOST, camera(2, "GOAL", { state: "error" })], "Not ready: RIGHT and GOAL are offline"],
  [[], "Not ready: no camera is set up"],
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

test.each([
  [LOST, idle, "offline", "bad"],
  [UNPLUGGED, idle, "reconnecting", "bad"],
  [camera(0, "LEFT", { last_frame_age_s: 9 }), idle, "silent", "bad"],
  [camera(0, "LEFT", { state: "starting" }), idle, "starting", "plain"],
  [camera(0, "LEFT", { state: "stopping" }), idle, "stopping", "plain"],
  [camera(0, "LEFT", { state: "idle" }), idle, "standby", "good"],
  [LEFT, idle, "ready", "good"],
  [LEFT, active(), "recording", "good"],
  [LEFT, active({ degraded_cameras: { camera_0: "disk full" } }), "unrecorded", "bad"],
  [camera(2, "GOAL"), active(), "absent", "plain"],
] as const)("each camera has a state of its own", (one, recording, condition, tone) => {
  expect(stateOfCamera(one, recording)).toEqual({ condition, tone });
});

test.each([
  [{}, "Recording"],
  [{ camera_0: "gone" }, "Recording – one camera has a problem"],
  [{ camera_0: "gone", camera_1: "gone" }, "Recording – 2 cameras have a problem"],
  [{ overload_guard: "CPU" }, "Recording – there is a problem"],
])("a recording says how many of its cameras have a problem", (degraded_cameras, word) => {
  expect(recordingInWords(active({ degraded_cameras: degraded_cameras as never }))).toBe(word);
});

test("a start that failed names the camera, and keeps the words of programs apart", () => {
  const failed = {
    success: false,
    message: "Failed to start all required cameras",
    cameras_failed: [1],
    errors: { camera_1: "gst-resource-error-quark: Could not open (7)" },
  };
  expect(startFailure(failed, [LEFT, LOST])).toEqual({
    title: "The recording did not start: RIGHT is offline",
    reason: null,
    details: ["RIGHT: gst-resource-error-quark: Could not open (7)"],
  });
  const already = { success: false, message: "Already recording match: m1" };
  expect(startFailure(already, [LEFT])).toEqual({
    title: "The recording did not start",
    reason: "Already recording match: m1",
    details: [],
  });
  expect(startFailure({ ...already, code: "already_recording" }, [LEFT])).toEqual({
    title: "The recording did not start",
    reason: "Another match is being recorded. Stop it first.",
    details: ["Already recording match: m1"],
  });
  const none = { success: false, message: "Failed to start any cameras", failed_cameras: [0, 1] };
  expect(startFailure(none, [LEFT, RIGHT]).title).toBe(
    "The recording did not start: LEFT and RIGHT are offline",
  );
});

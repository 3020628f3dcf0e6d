import { describe, expect, test } from "vitest";
import type { Schema } from "../api/http";
import { isStale, problemsOf } from "./problems";

const camera = {
  id: 0,
  name: "LEFT",
  kind: "rtsp",
  state: "running" as const,
  recovering: false,
  fps: 30,
  bitrate_bps: 1,
  last_frame_age_s: 0.1,
  dropped: {},
  last_error: null,
};
const guard = { active: false, unhealthy_streak: 0, cpu_percent: null, reasons: [] };
const recording = {
  recording: true as const,
  match_id: "final",
  duration: 60,
  cameras: {},
  protected: false,
  require_all_cameras: true,
  degraded: true,
  degraded_cameras: { camera_0: "no picture for 4 s" },
  camera_recovery: {
    camera_0: {
      attempts: 3,
      recovering: true,
      failed_permanently: false,
      last_error: null,
      last_recovery_ts: null,
    },
  },
  overload_guard: guard,
};

const unwell = (...problems: Schema["RecordingProblem"][]) => ({
  healthy: false,
  message: "",
  problems,
});

describe("problems of a recording", () => {
  test("a lost camera comes before a disk that fills up, with what to do", () => {
    const [first, second] = problemsOf({ recording, cameras: [camera], minutesLeft: 12 });
    expect(first?.what).toBe("LEFT is not recorded");
    expect(first?.details).toBe("no picture for 4 s");
    expect(first?.todo).toContain("attempt 3");
    expect(second?.what).toBe("The disk lasts for 12 more minutes of recording");
  });

  test("what recording-health says comes with what to do, whatever its words are", () => {
    const well = { ...recording, degraded_cameras: {} };
    const health = unwell(
      { kind: "not_growing", camera: "camera_0", message: "any words" },
      { kind: "segments_dir_missing", camera: null, message: "Segments directory does not exist" },
      { kind: "of a later server" as "no_frames", camera: "camera_0", message: "something new" },
    );
    const found = problemsOf({ recording: well, cameras: [camera], health });
    expect(found.map(({ what, todo }) => [what, todo])).toEqual([
      [
        "Segments directory does not exist",
        "Look at the disk, and at who may write to the recordings folder.",
      ],
      ["any words", "Look at the camera; if it sends pictures, the disk hangs."],
      ["something new", "What was written before is kept. Verify the match when it is over."],
    ]);
  });

  test("a lost camera is told once, and with what stops it", () => {
    const away = { kind: "no_frames" as const, camera: "camera_0", message: "No frames for 9 s" };
    const [lost, ...others] = problemsOf({ recording, cameras: [camera], health: unwell(away) });
    expect(others).toEqual([]);
    expect(lost?.todo).toContain("attempt 3");
    const full = { kind: "disk_full" as const, camera: "camera_0", message: "Disk full" };
    const stopped = problemsOf({ recording, cameras: [camera], health: unwell(full) });
    expect(stopped).toHaveLength(1);
    expect(stopped[0]?.todo).toContain("Delete matches");
  });

  test("where all is well there is nothing to read", () => {
    const well = { ...recording, degraded_cameras: {} };
    expect(problemsOf({ recording: well, cameras: [camera], minutesLeft: 600 })).toEqual([]);
    expect(problemsOf({})).toEqual([]);
  });
});

describe("problems of cameras", () => {
  test("a camera that is tried again in vain is a problem in every moment of it", () => {
    const lost = { ...camera, recovering: true, last_frame_age_s: null };
    const told = (state: "starting" | "error") =>
      problemsOf({ cameras: [{ ...lost, state }] }).map((p) => p.what);
    expect(told("starting")).toEqual(["LEFT does not answer"]);
    expect(told("error")).toEqual(["LEFT does not answer"]);
    expect(problemsOf({ cameras: [{ ...camera, state: "starting" }] })).toEqual([]);
  });

  test("a camera that sends nothing is stale", () => {
    expect(isStale({ ...camera, last_frame_age_s: 9 })).toBe(true);
    expect(isStale(camera)).toBe(false);
    expect(isStale({ ...camera, state: "idle" as const, last_frame_age_s: 900 })).toBe(false);
  });
});

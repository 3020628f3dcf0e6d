import { describe, expect, test } from "vitest";
import { active, camera, LEFT, loss, RIGHT, unwell } from "./fixtures";
import { isLost, isStale, problemsOf } from "./problems";

const recording = active({
  match_id: "final",
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
});

describe("problems of a recording", () => {
  test("a lost camera comes before a disk that fills up, with what to do", () => {
    const [first, second] = problemsOf({ recording, cameras: [LEFT], minutesLeft: 12 });
    expect(first?.what).toBe("LEFT is not recorded");
    expect(first?.details).toEqual(["no picture for 4 s"]);
    expect(first?.todo).toContain("attempt 3");
    expect(second?.what).toBe("The disk has room for only 12 more minutes");
  });

  test("what recording-health says is told in plain words with what to do, its own are details", () => {
    const well = active();
    const health = unwell(
      { kind: "not_growing", camera: "camera_0", message: "any words" },
      { kind: "segments_dir_missing", camera: null, message: "Segments directory does not exist" },
      { kind: "of a later server" as "no_frames", camera: "camera_0", message: "something new" },
    );
    const found = problemsOf({ recording: well, cameras: [LEFT], health });
    expect(found.map(({ what, todo, details }) => [what, todo, details])).toEqual([
      [
        "The folder of this match is missing",
        "Check the disk, and that the recordings folder can be written to.",
        ["Segments directory does not exist"],
      ],
      [
        "The recording of LEFT has stopped growing",
        "Check the camera. If it shows a live picture, the disk is stuck.",
        ["any words"],
      ],
      [
        "LEFT has a problem",
        "What was recorded before is kept. After the match, open it and choose “Verify”.",
        ["something new"],
      ],
    ]);
  });

  test("a lost camera is told once, and with what stops it", () => {
    const away = { kind: "no_frames" as const, camera: "camera_0", message: "No frames for 9 s" };
    const [lost, ...others] = problemsOf({ recording, cameras: [LEFT], health: unwell(away) });
    expect(others).toEqual([]);
    expect(lost?.todo).toContain("attempt 3");
    const full = { kind: "disk_full" as const, camera: "camera_0", message: "Disk full" };
    const stopped = problemsOf({ recording, cameras: [LEFT], health: unwell(full) });
    expect(stopped).toHaveLength(1);
    expect(stopped[0]?.what).toBe("The disk is full. Not recorded: LEFT");
    expect(stopped[0]?.todo).toContain("Delete matches");
  });

  test("a disk that fails both cameras is one problem", () => {
    const full = (key: string) => ({ kind: "disk_full" as const, camera: key, message: key });
    const both = active({ degraded_cameras: { camera_0: "disk full", camera_1: "disk full" } });
    const health = unwell(full("camera_0"), full("camera_1"));
    const found = problemsOf({ recording: both, cameras: [LEFT, RIGHT], health });
    expect(found.map(({ what }) => what)).toEqual([
      "The disk is full. Not recorded: LEFT and RIGHT",
    ]);
    expect(found[0]?.details).toEqual(["camera_0", "camera_1"]);
  });

  test("a camera whose loss has a line of its own is not told once more", () => {
    const told = active({ ...recording, losses: [loss({ ended: false })] });
    expect(problemsOf({ recording: told, cameras: [LEFT] })).toEqual([]);
    const over = active({ ...recording, losses: [loss()] });
    expect(problemsOf({ recording: over, cameras: [LEFT] })).toHaveLength(1);
  });

  test("where all is well there is nothing to read", () => {
    expect(problemsOf({ recording: active(), cameras: [LEFT], minutesLeft: 600 })).toEqual([]);
    expect(problemsOf({})).toEqual([]);
  });
});

describe("cameras", () => {
  test("one that is tried again in vain is lost in every moment of it", () => {
    const lost = { recovering: true, last_frame_age_s: null };
    expect(isLost(camera(0, "LEFT", { ...lost, state: "starting" }))).toBe(true);
    expect(isLost(camera(0, "LEFT", { ...lost, state: "error" }))).toBe(true);
    expect(isLost(camera(0, "LEFT", { state: "starting" }))).toBe(false);
  });

  test("one that sends nothing is stale", () => {
    expect(isStale({ ...LEFT, last_frame_age_s: 9 })).toBe(true);
    expect(isStale(LEFT)).toBe(false);
    expect(isStale({ ...LEFT, state: "idle", last_frame_age_s: 900 })).toBe(false);
  });
});

import type { Schema } from "../api/http";
import type { LastStop, Loss } from "./losses";

/** What a server tells, for tests. */
export const camera = (
  id: number,
  name: string,
  more: Partial<Schema["CameraStatus"]> = {},
): Schema["CameraStatus"] => ({
  id,
  name,
  kind: "rtsp",
  state: "running",
  recovering: false,
  fps: 30,
  bitrate_bps: 1,
  last_frame_age_s: 0.1,
  dropped: {},
  last_error: null,
  ...more,
});

export const LEFT = camera(0, "LEFT");
export const RIGHT = camera(1, "RIGHT");
export const LOST = camera(1, "RIGHT", {
  state: "error",
  last_error: "gst-resource-error-quark (7)",
});

const guard = { active: false, unhealthy_streak: 0, cpu_percent: null, reasons: [] };

export const idle: Schema["IdleRecording"] = {
  recording: false,
  match_id: null as never,
  duration: 0,
  cameras: {},
  degraded: false,
  degraded_cameras: {},
  camera_recovery: {},
  overload_guard: guard,
};

export const active = (
  more: Partial<Schema["ActiveRecording"]> = {},
): Schema["ActiveRecording"] => ({
  recording: true,
  match_id: "2026-11-27 Lions - Tigers",
  duration: 60,
  cameras: {
    camera_0: { state: "running", uptime: 60 },
    camera_1: { state: "running", uptime: 60 },
  },
  protected: false,
  require_all_cameras: true,
  degraded: Object.keys(more.degraded_cameras ?? {}).length > 0,
  degraded_cameras: {},
  camera_recovery: {},
  losses: [],
  overload_guard: guard,
  ...more,
});

export const loss = (more: Partial<Loss> = {}): Loss => ({
  camera: "camera_0",
  name: "LEFT",
  from_s: 5,
  seconds: 0.4,
  reason: "no data for 3.1 s",
  kind: "camera",
  ended: true,
  ...more,
});

export const lastStop = (more: Partial<LastStop> = {}): LastStop => ({
  id: "v1",
  match_id: "2026-11-27 Lions - Tigers",
  stopped_at: 1_764_250_000,
  success: true,
  message: "Recording stopped successfully",
  duration: 2_580,
  gaps: [],
  gaps_count: more.gaps?.length ?? 0,
  faults: [],
  files_ok: true,
  ...more,
});

export const unwell = (...problems: Schema["RecordingProblem"][]): Schema["RecordingHealth"] => ({
  healthy: false,
  message: "",
  problems,
});

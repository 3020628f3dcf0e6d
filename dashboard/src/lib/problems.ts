import type { Schema } from "../api/http";

export type Problem = {
  key: string;
  severity: "bad" | "warn";
  what: string;
  todo: string;
  /** The words of programs. */
  details?: string;
};

const SHORT_MINUTES = 30;
const STALE_S = 3;

export type Facts = {
  recording?: Schema["Status"]["recording"];
  cameras?: Schema["CameraStatus"][];
  health?: Schema["RecordingHealth"];
  metrics?: Schema["SystemMetrics"];
  minutesLeft?: number | null;
};

/** What is wrong, in words, with what to do about it; the worst first. */
export function problemsOf({
  recording,
  cameras = [],
  health,
  metrics,
  minutesLeft,
}: Facts): Problem[] {
  const found: Problem[] = [];
  const nameOf = (key: string) =>
    cameras.find((camera) => `camera_${camera.id}` === key)?.name ?? key;
  if (recording?.recording) {
    const told = health?.problems ?? [];
    for (const [key, reason] of Object.entries(recording.degraded_cameras)) {
      if (key === "overload_guard") continue;
      const recovery = recording.camera_recovery[key];
      if (!key.startsWith("camera_")) {
        found.push({ key, severity: "bad", what: reason, todo: "The other files go on." });
        continue;
      }
      const disk = told.find(({ camera, kind }) => camera === key && isOfDisk(kind));
      found.push({
        key,
        severity: "bad",
        what: `${nameOf(key)} is not recorded`,
        details: reason,
        todo: disk
          ? adviceOn(disk.kind)
          : recovery?.failed_permanently
            ? "It was given up. Look at its cable and power, then stop and start the recording."
            : `It is brought back by itself${attempts(recovery?.attempts)}. Look at its cable, power and network${others(cameras.length - 1)}.`,
      });
    }
    if (recording.overload_guard.active) {
      found.push({
        key: "overload",
        severity: "warn",
        what: `The machine hardly keeps up: ${recording.overload_guard.reasons.join(", ")}`,
        todo: "Close live pictures that nobody needs and stop other programs on it.",
      });
    }
    for (const { kind, camera, message } of told) {
      // What a lost camera's files lack follows from that.
      if (camera != null && Object.hasOwn(recording.degraded_cameras, camera)) continue;
      found.push({
        key: `${kind} ${camera ?? ""}`,
        severity: isOfDisk(kind) || kind === "segments_dir_missing" ? "bad" : "warn",
        what: message,
        todo: adviceOn(kind),
      });
    }
  } else {
    for (const camera of cameras) {
      if (!isLost(camera)) continue;
      found.push({
        key: `camera_${camera.id}`,
        severity: "warn",
        what: `${camera.name} does not answer`,
        details: camera.last_error ?? undefined,
        todo: "Look at its cable, power and network before the kick-off; it is tried again by itself.",
      });
    }
  }
  if (typeof minutesLeft === "number" && minutesLeft < SHORT_MINUTES) {
    found.push({
      key: "disk",
      severity: minutesLeft < 5 ? "bad" : "warn",
      what: `The disk lasts for ${Math.max(0, Math.floor(minutesLeft))} more minutes of recording`,
      todo: "Delete matches that are no longer needed; the running one is not touched.",
    });
  }
  if (metrics?.temperature.critical || metrics?.temperature.warning) {
    found.push({
      key: "heat",
      severity: metrics.temperature.critical ? "bad" : "warn",
      what: `The machine is hot: ${Math.round(metrics.temperature.max_c)} °C`,
      todo: "Take it out of the sun and give it air; a hot machine slows down.",
    });
  }
  return found.sort((a, b) => Number(a.severity === "warn") - Number(b.severity === "warn"));
}

type Kind = Schema["RecordingProblem"]["kind"];

const DISK_LOOK = "Look at the disk, and at who may write to the recordings folder.";

/** What to do about each kind; a kind that the server adds does not build until it is here. */
const ADVICE: Record<Kind, string> = {
  disk_error: "Stop at the next break, and use another disk; its own log says what is wrong.",
  disk_file_too_large: "Nothing is lost. Lift the limit on file sizes, or use another filesystem.",
  disk_full: "Delete matches that are no longer needed; nothing has to be started again.",
  disk_gone: "Connect and mount the disk where it was; nothing has to be started again.",
  disk_read_only: "Check the disk and mount it again; nothing has to be started again.",
  disk_slow: "Stop what else writes to the disk; a disk that stays slow must be replaced.",
  index_regressed: "Somebody else writes into the match's folder: find out who.",
  no_frames: "Look at the camera; it is being brought back already.",
  no_segments: DISK_LOOK,
  not_growing: "Look at the camera; if it sends pictures, the disk hangs.",
  pipeline_missing: "Wait a second or two; if it stays, look at the log.",
  pipeline_state: "Wait a second or two; if it stays, look at the log.",
  probe_failed: "Keep the file, stop, and verify the match.",
  recovering: "Look at its power, cable and address; it returns by itself.",
  recovery_exhausted: "Mend the camera, then stop and start the recording.",
  segments_dir_missing: DISK_LOOK,
  too_small: "Look at the camera; if it sends pictures, the disk hangs.",
  writer_failed: DISK_LOOK,
  zero_bytes: "Look at the camera; if it sends pictures, the disk hangs.",
};

const WHILE_NOT_WRITTEN: ReadonlySet<Kind> = new Set([
  "disk_error",
  "disk_full",
  "disk_gone",
  "disk_read_only",
  "writer_failed",
]);

/** Whether it is the disk that keeps footage from being written. */
function isOfDisk(kind: Kind): boolean {
  return WHILE_NOT_WRITTEN.has(kind);
}

function adviceOn(kind: Kind): string {
  return Object.hasOwn(ADVICE, kind)
    ? ADVICE[kind]
    : "What was written before is kept. Verify the match when it is over.";
}

/** Whether a running camera sends nothing at the moment. */
export function isStale(camera: Schema["CameraStatus"]): boolean {
  return camera.state === "running" && (camera.last_frame_age_s ?? 0) > STALE_S;
}

/** Whether a camera could not record now: each attempt to reach it again is `starting` for a while. */
export function isLost(camera: Schema["CameraStatus"]): boolean {
  const away = camera.recovering && camera.state === "starting";
  return away || camera.state === "error" || isStale(camera);
}

function attempts(count: number | undefined): string {
  return count ? ` (attempt ${count})` : "";
}

function others(count: number): string {
  if (count < 1) return "";
  return count === 1 ? "; the other camera goes on" : "; the other cameras go on";
}

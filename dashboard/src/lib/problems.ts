import type { Schema } from "../api/http";

export type Problem = {
  key: string;
  severity: "bad" | "warn";
  what: string;
  todo: string;
  /** The words of programs. */
  details?: string;
};

type Camera = Schema["CameraStatus"];
type Recording = Extract<Schema["Status"]["recording"], { recording: true }>;
type Told = Schema["RecordingProblem"];

const SHORT_MINUTES = 30;
const STALE_S = 3;

export type Facts = {
  recording?: Schema["Status"]["recording"];
  cameras?: Camera[];
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
  const found = [
    ...(recording?.recording
      ? whileRecording(recording, cameras, health?.problems ?? [])
      : cameras.filter(isLost).map(noAnswer)),
    ...ofSpace(minutesLeft),
    ...ofHeat(metrics),
  ];
  return found.sort((a, b) => Number(a.severity === "warn") - Number(b.severity === "warn"));
}

function whileRecording(recording: Recording, cameras: Camera[], told: Told[]): Problem[] {
  const { degraded_cameras: degraded, overload_guard: guard } = recording;
  const nameOf = (key: string) =>
    cameras.find((camera) => `camera_${camera.id}` === key)?.name ?? key;
  const lost = Object.entries(degraded)
    .filter(([key]) => key !== "overload_guard")
    .map(([key, reason]): Problem => {
      if (!key.startsWith("camera_")) {
        return { key, severity: "bad", what: reason, todo: "The other files go on." };
      }
      const disk = told.find(({ camera, kind }) => camera === key && isOfDisk(kind));
      return {
        key,
        severity: "bad",
        what: `${nameOf(key)} is not recorded`,
        details: reason,
        todo: disk
          ? adviceOn(disk.kind)
          : adviceOnRecovery(recording.camera_recovery[key], cameras.length - 1),
      };
    });
  // What a lost camera's files lack follows from that.
  const notOfLost = told.filter(({ camera }) => camera == null || !Object.hasOwn(degraded, camera));
  return [...lost, ...ofOverload(guard), ...notOfLost.map(ofHealth)];
}

function ofOverload({ active, reasons }: Schema["OverloadGuard"]): Problem[] {
  if (!active) return [];
  return [
    {
      key: "overload",
      severity: "warn",
      what: `The machine hardly keeps up: ${reasons.join(", ")}`,
      todo: "Close live pictures that nobody needs and stop other programs on it.",
    },
  ];
}

function ofHealth({ kind, camera, message }: Told): Problem {
  return {
    key: `${kind} ${camera ?? ""}`,
    severity: isOfDisk(kind) || kind === "segments_dir_missing" ? "bad" : "warn",
    what: message,
    todo: adviceOn(kind),
  };
}

/** A camera that is lost while nothing is recorded. */
function noAnswer(camera: Camera): Problem {
  return {
    key: `camera_${camera.id}`,
    severity: "warn",
    what: `${camera.name} does not answer`,
    details: camera.last_error ?? undefined,
    todo: "Look at its cable, power and network before the kick-off; it is tried again by itself.",
  };
}

function ofSpace(minutesLeft: number | null | undefined): Problem[] {
  if (typeof minutesLeft !== "number" || minutesLeft >= SHORT_MINUTES) return [];
  return [
    {
      key: "disk",
      severity: minutesLeft < 5 ? "bad" : "warn",
      what: `The disk lasts for ${Math.max(0, Math.floor(minutesLeft))} more minutes of recording`,
      todo: "Delete matches that are no longer needed; the running one is not touched.",
    },
  ];
}

function ofHeat(metrics: Schema["SystemMetrics"] | undefined): Problem[] {
  if (!metrics?.temperature.critical && !metrics?.temperature.warning) return [];
  return [
    {
      key: "heat",
      severity: metrics.temperature.critical ? "bad" : "warn",
      what: `The machine is hot: ${Math.round(metrics.temperature.max_c)} °C`,
      todo: "Take it out of the sun and give it air; a hot machine slows down.",
    },
  ];
}

type Kind = Told["kind"];

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

/** What to do about a lost camera, and what the other cameras do meanwhile. */
function adviceOnRecovery(
  recovery: Schema["CameraRecovery"] | undefined,
  otherCameras: number,
): string {
  return recovery?.failed_permanently
    ? "It was given up. Look at its cable and power, then stop and start the recording."
    : `It is brought back by itself${attempts(recovery?.attempts)}. Look at its cable, power and network${others(otherCameras)}.`;
}

/** Whether a running camera sends nothing at the moment. */
export function isStale(camera: Camera): boolean {
  return camera.state === "running" && (camera.last_frame_age_s ?? 0) > STALE_S;
}

/** Whether a camera could not record now: each attempt to reach it again is `starting` for a while. */
export function isLost(camera: Camera): boolean {
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

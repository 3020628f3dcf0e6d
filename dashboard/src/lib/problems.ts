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
    for (const [key, reason] of Object.entries(recording.degraded_cameras)) {
      if (key === "overload_guard") continue;
      const recovery = recording.camera_recovery[key];
      if (!key.startsWith("camera_")) {
        found.push({ key, severity: "bad", what: reason, todo: "The other files go on." });
        continue;
      }
      found.push({
        key,
        severity: "bad",
        what: `${nameOf(key)} is not recorded`,
        details: reason,
        todo: recovery?.failed_permanently
          ? "It was given up. Look at its cable and power, then stop and start the recording."
          : `It is brought back by itself${attempts(recovery?.attempts)}. Look at its cable, power and network; the other camera goes on.`,
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
    for (const issue of health?.issues ?? []) {
      if (found.some(({ what, details }) => `${what} ${details}`.includes(issue))) continue;
      found.push({
        key: `issue ${issue}`,
        severity: "warn",
        what: issue,
        todo: adviceOn(issue),
      });
    }
  } else {
    for (const camera of cameras) {
      if (camera.state !== "error") continue;
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

const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/No frames/, "Look at the camera; it is being brought back already."],
  [/Recovering/, "Look at its power, cable and address; it returns by itself."],
  [/Recovery exhausted/, "Mend the camera, then stop and start the recording."],
  [/Pipeline (missing|state)/, "Wait a second or two; if it stays, look at the log."],
  [/Disk full/, "Delete matches that are no longer needed; nothing has to be started again."],
  [/No segment|directory/, "Look at the disk, and at who may write to the recordings folder."],
  [/Zero-byte|too small|not growing/, "Look at the camera; if it sends pictures, the disk hangs."],
  [/index regressed/, "Somebody else writes into the match's folder: find out who."],
  [/probe failed/, "Keep the file, stop, and verify the match."],
];

function adviceOn(issue: string): string {
  const known = ADVICE.find(([words]) => words.test(issue));
  return known?.[1] ?? "What was written before is kept. Verify the match when it is over.";
}

/** Whether a running camera sends nothing at the moment. */
export function isStale(camera: Schema["CameraStatus"]): boolean {
  return camera.state === "running" && (camera.last_frame_age_s ?? 0) > STALE_S;
}

function attempts(count: number | undefined): string {
  return count ? ` (attempt ${count})` : "";
}

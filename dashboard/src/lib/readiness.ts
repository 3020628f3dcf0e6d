import type { Schema } from "../api/http";
import { words } from "../messages";
import { declined, errorWords } from "./errorWords";
import { list } from "./format";
import { isLost, isStale, nameOfCamera } from "./problems";

type Camera = Schema["CameraStatus"];
type Recording = Schema["Status"]["recording"];

export type Readiness = {
  ready: boolean;
  /** The state in words. */
  word: string;
  missing: Camera[];
  /** Those that could record now. */
  there: Camera[];
};

/** Whether a recording could begin now, and without whom it could. */
export function readinessOf(cameras: readonly Camera[] | undefined): Readiness {
  const { state } = words.matchday;
  if (cameras === undefined) return { ready: false, word: state.unknown, missing: [], there: [] };
  const missing = cameras.filter(isLost);
  const there = cameras.filter((camera) => !missing.includes(camera));
  if (cameras.length === 0) {
    return { ready: false, word: state.notReady(state.noCamera), missing, there };
  }
  if (missing.length === 0) return { ready: true, word: state.ready, missing, there };
  const none = there.length === 0 && cameras.length > 1;
  return {
    ready: false,
    word: state.notReady(none ? state.allOffline : areOffline(missing)),
    missing,
    there,
  };
}

/** `RIGHT is offline`, `LEFT and RIGHT are offline`. */
export function areOffline(cameras: readonly { name: string }[]): string {
  return words.matchday.state.offline(namesOf(cameras), cameras.length);
}

/** `LEFT`, `LEFT and RIGHT`, `A, B and C`. */
export function namesOf(cameras: readonly { name: string }[]): string {
  return list(cameras.map((camera) => camera.name));
}

type Condition = keyof typeof words.matchday.camera;
export type CameraState = { condition: Condition; tone: "good" | "bad" | "plain" };

/** What a camera does at the moment; the words for it are `words.matchday.camera`. */
export function stateOfCamera(camera: Camera, recording: Recording | undefined): CameraState {
  const on = recording?.recording === true;
  const key = `camera_${camera.id}`;
  if (camera.state === "error") return { condition: "offline", tone: "bad" };
  if (isLost(camera) && !isStale(camera)) return { condition: "reconnecting", tone: "bad" };
  if (isStale(camera)) return { condition: "silent", tone: "bad" };
  if (on && Object.hasOwn(recording.degraded_cameras, key)) {
    return { condition: "unrecorded", tone: "bad" };
  }
  if (on && !Object.hasOwn(recording.cameras, key)) return { condition: "absent", tone: "plain" };
  if (camera.state === "idle") return { condition: "standby", tone: "good" };
  if (camera.state !== "running") return { condition: camera.state, tone: "plain" };
  return { condition: on ? "recording" : "ready", tone: "good" };
}

/** How a running recording is, in words: how many of its cameras have a problem. */
export function recordingInWords(recording: Extract<Recording, { recording: true }>): string {
  const { state } = words.matchday;
  const causes = Object.keys(recording.degraded_cameras);
  const cameras = causes.filter((cause) => cause.startsWith("camera_")).length;
  if (cameras > 1) return state.problems(cameras);
  if (cameras === 1) return state.oneProblem;
  return recording.degraded ? state.otherProblem : state.recording;
}

type Report = Schema["StartReport"];
export type Failure = { title: string; reason: string | null; details: string[] };

/** A start that was refused, with what the catalogue says about the reason. */
export function refusalOf(error: Error): Failure {
  const { what, todo, details } = errorWords(error);
  return {
    title: words.matchday.start.refused,
    reason: todo ? `${what} ${todo}` : what,
    details: details ? [details] : [],
  };
}

/** Why a start came to nothing, in plain words; the words of programs are for those who ask. */
export function startFailure(report: Report, cameras: readonly Camera[]): Failure {
  const { start } = words.matchday;
  const ids = report.cameras_failed ?? report.failed_cameras ?? [];
  const failed = ids.map((id) => ({ name: nameOfCamera(`camera_${id}`, cameras) }));
  if (failed.length === 0) return refusalOf(declined(report));
  return {
    title: start.refusedBecause(areOffline(failed)),
    reason: null,
    details: Object.entries(report.errors ?? {}).map(
      ([key, why]) => `${nameOfCamera(key, cameras)}: ${why}`,
    ),
  };
}

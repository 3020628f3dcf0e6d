import type { Schema } from "../api/http";
import { isLost } from "./problems";

type Camera = Schema["CameraStatus"];

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
  if (cameras === undefined) return { ready: false, word: "…", missing: [], there: [] };
  const missing = cameras.filter(isLost);
  const there = cameras.filter((camera) => !missing.includes(camera));
  if (cameras.length === 0) {
    return { ready: false, word: "Not ready: no camera is configured", missing, there };
  }
  if (missing.length === 0) return { ready: true, word: "Ready", missing, there };
  const none = there.length === 0 && cameras.length > 1;
  return {
    ready: false,
    word: `Not ready: ${none ? "no camera answers" : doNotAnswer(missing)}`,
    missing,
    there,
  };
}

/** `RIGHT does not answer`, `LEFT and RIGHT do not answer`. */
export function doNotAnswer(cameras: readonly { name: string }[]): string {
  return `${namesOf(cameras)} ${cameras.length === 1 ? "does" : "do"} not answer`;
}

/** `LEFT`, `LEFT and RIGHT`, `A, B and C`. */
export function namesOf(cameras: readonly { name: string }[]): string {
  const names = cameras.map((camera) => camera.name);
  const last = names.pop() ?? "";
  return names.length ? `${names.join(", ")} and ${last}` : last;
}

type Report = Schema["StartReport"];
type Failure = { title: string; details: string[] };

/** Why a start came to nothing, in plain words; the words of programs are for those who ask. */
export function startFailure(report: Report, cameras: readonly Camera[]): Failure {
  const ids = report.cameras_failed ?? report.failed_cameras ?? [];
  const failed = ids.map(
    (id) => cameras.find((camera) => camera.id === id) ?? { name: `Camera ${id}` },
  );
  if (failed.length === 0) return { title: report.message, details: [] };
  const nameOf = (key: string) =>
    cameras.find((camera) => `camera_${camera.id}` === key)?.name ?? key;
  return {
    title: `The recording did not start: ${doNotAnswer(failed)}`,
    details: Object.entries(report.errors ?? {}).map(([key, why]) => `${nameOf(key)}: ${why}`),
  };
}

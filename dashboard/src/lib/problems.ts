import type { Schema } from "../api/http";
import { words } from "../messages";
import { list, number } from "./format";
import { isOpen } from "./losses";

export type Problem = {
  key: string;
  severity: "bad" | "warn";
  what: string;
  todo: string;
  /** The words of programs. */
  details: string[];
};

type Camera = Schema["CameraStatus"];
type Recording = Extract<Schema["Status"]["recording"], { recording: true }>;
type Told = Schema["RecordingProblem"];
type Kind = Told["kind"];

const SHORT_MINUTES = 30;
const VERY_SHORT_MINUTES = 5;
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
    ...(recording?.recording ? whileRecording(recording, cameras, health?.problems ?? []) : []),
    ...ofSpace(minutesLeft),
    ...ofHeat(metrics),
  ];
  return found.sort((a, b) => Number(a.severity === "warn") - Number(b.severity === "warn"));
}

function whileRecording(recording: Recording, cameras: Camera[], told: Told[]): Problem[] {
  const { degraded_cameras: degraded, overload_guard: guard } = recording;
  const nameOf = (key: string) => nameOfCamera(key, cameras);
  const ofDisk = told.filter(({ kind }) => OF_THE_DISK.has(kind));
  // A camera that a disk or a line about its loss speaks for is not told once more.
  const spokenFor = new Set([
    ...ofDisk.filter(({ kind }) => keepsFromSaving(kind)).map(({ camera }) => camera),
    ...(recording.losses ?? []).filter(isOpen).map(({ camera }) => camera),
  ]);
  const lost = Object.entries(degraded)
    .filter(([key]) => key !== "overload_guard" && !spokenFor.has(key))
    .map(([key, reason]) =>
      key.startsWith("camera_")
        ? notRecorded(nameOf(key), key, reason, recording, cameras)
        : part(key, reason),
    );
  // What a lost camera's files lack follows from that.
  const others = told.filter(
    ({ kind, camera }) =>
      !OF_THE_DISK.has(kind) && (camera == null || !Object.hasOwn(degraded, camera)),
  );
  return [
    ...disks(ofDisk, nameOf),
    ...lost,
    ...ofOverload(guard),
    ...others.map((problem) => ofHealth(problem, nameOf)),
  ];
}

export const nameOfCamera = (key: string, cameras: readonly Camera[]) =>
  cameras.find((camera) => `camera_${camera.id}` === key)?.name ?? key;

function notRecorded(
  name: string,
  key: string,
  reason: string,
  recording: Recording,
  cameras: Camera[],
): Problem {
  return {
    key,
    severity: "bad",
    what: words.matchday.problems.notRecorded(name),
    todo: adviceOnRecovery(recording.camera_recovery[key], cameras.length - 1),
    details: [reason],
  };
}

function part(key: string, reason: string): Problem {
  const { other, otherTodo } = words.matchday.problems;
  return { key, severity: "bad", what: other, todo: otherTodo, details: [reason] };
}

/** One problem for each thing that the disk does, whichever cameras it is about. */
function disks(told: Told[], nameOf: (key: string) => string): Problem[] {
  return [...new Set(told.map(({ kind }) => kind))].map((kind) => {
    const those = told.filter((problem) => problem.kind === kind);
    const cameras = those.flatMap(({ camera }) => (camera == null ? [] : [nameOf(camera)]));
    const { what, todo } = words.matchday.problems.kinds[kind];
    return {
      key: kind,
      severity: keepsFromSaving(kind) || kind === "segments_dir_missing" ? "bad" : "warn",
      what:
        keepsFromSaving(kind) && cameras.length
          ? words.matchday.problems.withoutCameras(what(""), list(cameras))
          : what(""),
      todo,
      details: those.map(({ message }) => message),
    };
  });
}

function ofOverload({ active, reasons }: Schema["OverloadGuard"]): Problem[] {
  if (!active) return [];
  const { overload, overloadTodo } = words.matchday.problems;
  return [
    { key: "overload", severity: "warn", what: overload, todo: overloadTodo, details: reasons },
  ];
}

function ofHealth({ kind, camera, message }: Told, nameOf: (key: string) => string): Problem {
  const { kinds, wholeMatch, unknown, unknownTodo } = words.matchday.problems;
  const name = camera == null ? wholeMatch : nameOf(camera);
  const known = Object.hasOwn(kinds, kind) ? kinds[kind] : null;
  return {
    key: `${kind} ${camera ?? ""}`,
    severity: "warn",
    what: known ? known.what(name) : unknown(name),
    todo: known ? known.todo : unknownTodo,
    details: [message],
  };
}

function ofSpace(minutesLeft: number | null | undefined): Problem[] {
  if (typeof minutesLeft !== "number" || minutesLeft >= SHORT_MINUTES) return [];
  const { space, spaceTodo } = words.matchday.problems;
  return [
    {
      key: "space",
      severity: minutesLeft < VERY_SHORT_MINUTES ? "bad" : "warn",
      what: space(Math.max(0, Math.floor(minutesLeft))),
      todo: spaceTodo,
      details: [],
    },
  ];
}

function ofHeat(metrics: Schema["SystemMetrics"] | undefined): Problem[] {
  if (!metrics?.temperature.critical && !metrics?.temperature.warning) return [];
  const { heat, heatTodo } = words.matchday.problems;
  return [
    {
      key: "heat",
      severity: metrics.temperature.critical ? "bad" : "warn",
      what: heat(number(metrics.temperature.max_c)),
      todo: heatTodo,
      details: [],
    },
  ];
}

const OF_THE_DISK: ReadonlySet<Kind> = new Set([
  "disk_error",
  "disk_file_too_large",
  "disk_full",
  "disk_gone",
  "disk_read_only",
  "disk_slow",
  "segments_dir_missing",
  "writer_failed",
]);

const WHILE_NOT_WRITTEN: ReadonlySet<Kind> = new Set([
  "disk_error",
  "disk_full",
  "disk_gone",
  "disk_read_only",
  "writer_failed",
]);

/** Whether this keeps footage from being written. */
const keepsFromSaving = (kind: Kind) => WHILE_NOT_WRITTEN.has(kind);

/** What to do about a lost camera, and what the other cameras do meanwhile. */
export function adviceOnRecovery(
  recovery: Schema["CameraRecovery"] | undefined,
  otherCameras: number,
): string {
  const { losses } = words.matchday;
  const others = otherCameras > 0 ? [losses.others(otherCameras)] : [];
  if (recovery?.failed_permanently) return [losses.givenUp, ...others].join(" ");
  const again = recovery?.attempts ? losses.attempt(recovery.attempts) : losses.reconnecting;
  return [again, losses.check, ...others].join(" ");
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

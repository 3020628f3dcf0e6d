import type { Schema } from "../api/http";
import { words } from "../messages";
import { declined, errorWords } from "./errorWords";
import type { Event } from "./events";
import { nameOfCamera } from "./problems";

type Camera = Schema["CameraStatus"];

/** An event in plain words; one that has none is told in the server's. */
export function eventInWords(
  event: Event,
  cameras: readonly Camera[],
  titleOf: (matchId: string) => string,
): string {
  const { event_type: type, details, message } = event;
  const { alerts, aCamera } = words.matchday.happened;
  if (!Object.hasOwn(alerts, type)) return ofMatch(event, titleOf) ?? message;
  const { camera_id: id } = details;
  const camera = typeof id === "number" ? nameOfCamera(`camera_${id}`, cameras) : aCamera;
  return alerts[type as keyof typeof alerts](camera);
}

/** What became of a recording, or was made of it. */
function ofMatch(
  { event_type: type, category, details, message }: Event,
  titleOf: (matchId: string) => string,
): string | null {
  const { match_id: id, kind, code } = details;
  const why = typeof code === "string" ? errorWords(declined({ message, code })).what : null;
  if (type === "recording" && category === "disk") return why;
  if (typeof id !== "string") return null;
  const { adopted, started, stopped, refused, made } = words.matchday.happened;
  const title = titleOf(id);
  if (type === "recording") {
    if (category === "refused") return why && refused(title, why);
    const tells = Object.entries({ adopted, started, stopped }).find(([each]) => each === category);
    return tells ? tells[1](title) : null;
  }
  const { kinds } = words.library.job;
  if (category !== "finished" || typeof kind !== "string" || !Object.hasOwn(kinds, kind))
    return null;
  return made(kinds[kind as keyof typeof kinds], title);
}

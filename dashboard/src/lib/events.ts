import type { Schema } from "../api/http";
import type { Tone } from "../ui/basics";

export type Event = Schema["EventEntry"];
type EventType = Event["event_type"];
type Category = Event["category"];
type AlertType = Extract<EventType, `${"recording" | "background_task"}_${string}`>;

/** Whether somebody who films a match wants to know; a new type does not build until it is here. */
const OF_A_MATCH: Record<Exclude<EventType, AlertType>, boolean> = {
  recording: true,
  processing: true,
  library: false,
  engine: false,
  stream: false,
  vpn: false,
  health: false,
  system: false,
};

const ALERTS: Record<AlertType, Tone> = {
  background_task_failed: "bad",
  background_task_recovered: "good",
  recording_camera_lost: "bad",
  recording_camera_recovered: "good",
  recording_disk_failed: "bad",
  recording_disk_full: "bad",
  recording_disk_gone: "bad",
  recording_disk_read_only: "bad",
  recording_disk_recovered: "good",
  recording_disk_slow: "warn",
  recording_file_too_large: "warn",
  recording_fps_below_slo: "warn",
  recording_frames_dropped: "warn",
  recording_integrity_failed: "bad",
  recording_interrupted: "bad",
  recording_overload_guard_triggered: "warn",
  recording_resumed: "good",
  recording_salvaged: "warn",
  recording_stop_non_graceful: "warn",
  recording_stop_transport_failure: "bad",
  recording_writer_failed: "bad",
  recording_writer_recovered: "good",
};

const CATEGORIES: Record<Category, Tone> = {
  adopted: "info",
  alert: "warn",
  claimed: "plain",
  connected: "good",
  created: "info",
  deleted: "plain",
  disconnected: "bad",
  disk: "bad",
  draining: "plain",
  emergency: "bad",
  emergency_over: "good",
  ended: "plain",
  failed: "bad",
  finished: "good",
  insufficient_engines: "warn",
  port_changed: "info",
  purged: "plain",
  recovered: "good",
  recreated: "warn",
  refused: "warn",
  replaced: "good",
  restarted: "warn",
  restarting: "warn",
  restored: "good",
  scaling: "info",
  started: "info",
  stopped: "plain",
  trashed: "plain",
  warning: "warn",
};

/** Whether an event belongs beside a match: what was recorded, lost, recovered and made of it. */
export function isOfMatch({ event_type, category }: Event): boolean {
  return of(OF_A_MATCH, event_type) ?? category === "alert";
}

/** How an event is coloured; the log of an earlier version may have words that are not known. */
export function toneOf({ event_type, category }: Event): Tone {
  return of(ALERTS, event_type) ?? of(CATEGORIES, category) ?? "plain";
}

function of<T>(words: Record<string, T>, word: string): T | undefined {
  return Object.hasOwn(words, word) ? words[word] : undefined;
}

/** Those of a match, newest first, each once: what the socket tells and what the log has. */
export function newestOfMatch(lists: readonly (readonly Event[])[], most: number): Event[] {
  const found = new Map<string, Event>();
  for (const event of lists.flat()) {
    if (!isOfMatch(event)) continue;
    // One on its way to the disk has no number yet, and is the same when it has one.
    const key = `${event.timestamp} ${event.event_type} ${event.message}`;
    if (!found.has(key) || event.id !== null) found.set(key, event);
  }
  const place = ({ id }: Event) => id ?? Number.POSITIVE_INFINITY;
  return [...found.values()].sort((a, b) => (place(b) > place(a) ? 1 : -1)).slice(0, most);
}

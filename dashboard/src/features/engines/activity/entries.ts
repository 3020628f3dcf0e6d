import { Facts, sentence, supplements } from "../../../lib/engineEventWords";
import { type Event, toneOf } from "../../../lib/events";
import type { Tone } from "../../../ui/basics";
import { spans } from "./spans";

export type Kind = "engines" | "streams" | "vpn";

/** One line of what happened. */
export type Entry = {
  key: string;
  at: string;
  tone: Tone;
  kind: Kind;
  text: string;
  more: string[];
  /** The server's own sentence, where ours leaves something out that helps. */
  details: string | null;
  /** The engines that the sentence names: their ids by their names. */
  engines: ReadonlyMap<string, string>;
};

/** One on its way to the disk has no number yet, and is the same when it has one. */
export const keyOf = ({ timestamp, event_type, category, message }: Event) =>
  `${timestamp} ${event_type} ${category} ${message}`;

/**
 * Whether an event is about the fleet, its streams or its VPNs. Failures of background tasks and
 * wrong keys are on the page of the system.
 */
export function isOfFleet({ event_type, category, details }: Event): boolean {
  if (event_type === "engine" || event_type === "stream" || event_type === "vpn") return true;
  if (event_type === "system") return category !== "warning";
  return event_type === "health" && !("task" in details);
}

/** Those of all lists, newest first, each once. */
export function merged(lists: readonly (readonly Event[])[]): Event[] {
  const found = new Map<string, Event>();
  for (const event of lists.flat()) {
    const key = keyOf(event);
    if (!found.has(key) || event.id !== null) found.set(key, event);
  }
  const place = ({ id }: Event) => id ?? Number.POSITIVE_INFINITY;
  return [...found.values()].sort(
    (a, b) => place(b) - place(a) || (a.timestamp < b.timestamp ? 1 : -1),
  );
}

/** The names of engines by their ids, as events say them. */
export function namesIn(events: readonly Event[]): Map<string, string> {
  const names = new Map<string, string>();
  const add = (id: unknown, name: unknown) => {
    if (typeof id === "string" && typeof name === "string" && id && name) names.set(id, name);
  };
  for (const { container_id, details } of events) {
    add(container_id, details.name);
    add(details.replacement_container, details.replacement);
  }
  return names;
}

/** Whether an event is about this engine, as the one that it names or as a replacement. */
export const isAbout = ({ container_id, details }: Event, engine: string) =>
  container_id === engine || details.replacement_container === engine;

/** What happened, in words and newest first; a failure and the replacement are one line. */
export function entries(events: readonly Event[], names: ReadonlyMap<string, string>): Entry[] {
  const known = new Map([...namesIn(events), ...names]);
  const lengths = spans(events);
  const failed = new Set(
    events.filter((event) => kindOf(event) === "engine failed").map((event) => event.container_id),
  );
  const replacements = new Map(
    events
      .filter((event) => kindOf(event) === "engine replaced")
      .map((event) => [event.container_id, event]),
  );
  return events
    .filter((event) => kindOf(event) !== "engine replaced" || !failed.has(event.container_id))
    .map((event) => {
      const replacement =
        kindOf(event) === "engine failed" && event.container_id
          ? replacements.get(event.container_id)
          : undefined;
      const facts = new Facts(event, known, lengths.get(event), replacement);
      return entryOf(facts, replacement);
    });
}

function entryOf(facts: Facts, replacement: Event | undefined): Entry {
  const { event } = facts;
  const text = sentence(facts);
  const engines = new Map<string, string>();
  if (event.container_id) engines.set(facts.engine, event.container_id);
  const { replacement: by, replacement_container: id } = (replacement ?? event).details;
  if (typeof by === "string" && typeof id === "string") engines.set(by, id);
  return {
    key: keyOf(event),
    at: event.timestamp,
    tone: toneOf(event),
    kind:
      event.event_type === "stream" || event.event_type === "vpn"
        ? KINDS[event.event_type]
        : "engines",
    text: text ?? event.message,
    more: supplements(facts),
    details: text !== null && toneOf(event) === "bad" ? event.message : null,
    engines,
  };
}

const KINDS = { stream: "streams", vpn: "vpn" } as const;

const kindOf = ({ event_type, category }: Event) => `${event_type} ${category}`;

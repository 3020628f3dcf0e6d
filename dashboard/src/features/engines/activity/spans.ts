import type { Event } from "../../../lib/events";

/** What a pair of events is about, and whether this one begins or ends it. */
function edge(event: Event): [subject: string, begins: boolean] | null {
  const { container_id, details } = event;
  switch (`${event.event_type} ${event.category}`) {
    case "health failed":
      return container_id ? [`silent ${container_id}`, true] : [`breaker ${details.breaker}`, true];
    case "health recovered":
      return container_id
        ? [`silent ${container_id}`, false]
        : [`breaker ${details.breaker}`, false];
    case "engine draining":
      return [`draining ${container_id}`, true];
    case "engine deleted":
    case "engine recovered":
      return [`draining ${container_id}`, false];
    case "vpn disconnected":
      return [`vpn ${details.container}`, true];
    case "vpn connected":
    case "vpn recovered":
      return [`vpn ${details.container}`, false];
    case "vpn emergency":
      return ["emergency", true];
    case "vpn emergency_over":
      return ["emergency", false];
    case "system disconnected":
      return ["runtime", true];
    case "system connected":
      return ["runtime", false];
    case "system started":
      return ["replacing", true];
    case "system ended":
      return ["replacing", false];
    default:
      return null;
  }
}

/** How long what an event ends had gone on, in seconds, for events (newest first) that end one. */
export function spans(events: readonly Event[]): Map<Event, number> {
  const begun = new Map<string, number>();
  const lengths = new Map<Event, number>();
  for (const event of [...events].reverse()) {
    const found = edge(event);
    if (!found) continue;
    const [subject, begins] = found;
    const at = Date.parse(event.timestamp) / 1000;
    const since = begun.get(subject);
    if (begins) {
      if (since === undefined) begun.set(subject, at);
      continue;
    }
    begun.delete(subject);
    // A clock that was set back gives no length.
    if (since !== undefined && at >= since) lengths.set(event, at - since);
  }
  return lengths;
}

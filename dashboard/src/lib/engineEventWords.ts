import { words } from "../messages";
import type { Event } from "./events";
import { shortDuration, shortId } from "./format";

/** What a sentence is made of: an event's details, and the names of the engines it is about. */
export class Facts {
  constructor(
    readonly event: Event,
    private readonly names: ReadonlyMap<string, string>,
    /** How long what this event ends had gone on, in seconds. */
    readonly lasted: number | undefined,
    /** The engine that took the place of the one that stopped. */
    readonly replacement: Event | undefined,
  ) {}

  text(name: string): string | null {
    const value = this.event.details[name];
    return typeof value === "string" && value !== "" ? value : null;
  }

  count(name: string): number | null {
    const value = this.event.details[name];
    return typeof value === "number" && Number.isFinite(value) ? value : null;
  }

  get engine(): string {
    const { container_id } = this.event;
    const name = this.text("name") ?? (container_id && this.names.get(container_id));
    return name || (container_id ? shortId(container_id) : words.engines.activity.someEngine);
  }

  get vpn(): string {
    return this.text("container") ?? words.engines.activity.someVpn;
  }

  /** Why an engine goes or another comes, in words; null where the word is not known. */
  reason(name = "reason"): string | null {
    return known(words.engines.activity.reasons, this.text(name));
  }

  because(what: string, reason: string | null): string {
    return reason ? words.engines.activity.because(what, reason) : what;
  }

  /** With how long it took or had lasted. */
  after(what: string, seconds: number | null | undefined = this.lasted): string {
    return seconds ? words.engines.activity.after(what, shortDuration(seconds)) : what;
  }
}

function known(texts: Record<string, string>, word: string | null): string | null {
  return word !== null && Object.hasOwn(texts, word) ? (texts[word] ?? null) : null;
}

function stopped(facts: Facts): string | null {
  const { activity } = words.engines;
  const { event, engine, replacement } = facts;
  if (!event.container_id) {
    return facts.because(activity.notStarted, known(activity.starts, facts.text("code")));
  }
  const code = facts.count("exit_code");
  const what = code === null ? activity.disappeared(engine) : activity.stoppedWith(engine, code);
  const by = replacement?.details.replacement;
  if (!replacement || typeof by !== "string") return what;
  const took = Number(replacement.details.took_s ?? 0);
  return activity.followed(what, activity.replacedBy(by, shortDuration(took)));
}

/** What else is known of an engine that stopped or was removed. */
export function supplements(facts: Facts): string[] {
  const { event_type, category } = facts.event;
  if (event_type !== "engine" || !["failed", "deleted"].includes(category)) return [];
  const { activity } = words.engines;
  const [ran, streams] = [facts.count("ran_s"), facts.count("streams")];
  return [
    ran ? activity.ranFor(shortDuration(ran)) : "",
    streams ? activity.streamsLost(streams) : "",
  ].filter(Boolean);
}

function started(facts: Facts): string {
  const { activity } = words.engines;
  const took = facts.count("took_s");
  const what =
    took === null
      ? activity.started(facts.engine)
      : activity.startedIn(facts.engine, shortDuration(took));
  const reason = facts.reason("replaces");
  if (reason) return activity.asReplacement(what, reason);
  return facts.event.details.for_client === true ? activity.forClient(what) : what;
}

function again(facts: Facts): string | null {
  const { again: texts } = words.engines.activity;
  const rounds = facts.count("rounds");
  const reason = facts.text("reason");
  if (rounds === null || reason === null) return null;
  if (reason === "killed") return texts.killed(rounds);
  if (reason === "died") return texts.died(rounds);
  return texts.other(rounds, facts.reason() ?? reason);
}

function unwell(facts: Facts): string | null {
  const [count, total] = [facts.count("unhealthy_count"), facts.count("total_engines")];
  if (count !== null && total !== null) return words.engines.activity.manyUnwell(count, total);
  return again(facts);
}

function scaled(facts: Facts): string | null {
  const { activity } = words.engines;
  const target = facts.count("target");
  const starting = facts.count("starting");
  if (starting !== null) {
    const usable = facts.count("usable");
    return target === null || usable === null
      ? activity.starting(starting)
      : activity.startingOf(starting, usable, Math.max(target, usable + starting));
  }
  if (target === null) return null;
  const before = facts.count("before");
  return before === null ? activity.sized(target) : activity.sizedFrom(target, before);
}

function silent(facts: Facts): string | null {
  const { activity } = words.engines;
  if (facts.event.container_id) {
    return activity.silent(facts.engine, facts.count("failures") ?? 1);
  }
  const failures = facts.count("failure_count");
  return failures !== null && facts.text("breaker") ? activity.startsPaused(failures) : null;
}

/** A stream by its id, as far as a line has room for it. */
function streamName({ event }: Facts): string {
  const id = event.stream_id ?? "";
  return id.length > 40 ? `${id.slice(0, 40)}…` : id;
}

function streamEnded(facts: Facts): string {
  const { activity, streams } = words.engines;
  const reason = facts.text("reason");
  const what = facts.after(activity.streamEnded(streamName(facts)), facts.count("duration_s"));
  return facts.because(what, known(streams.ends, reason) ?? reason);
}

function removed(facts: Facts): string {
  const { activity } = words.engines;
  if (facts.text("reason") === "dead") return activity.cleanedUp(facts.engine);
  return facts.because(facts.after(activity.removed(facts.engine)), facts.reason());
}

function replaced(facts: Facts): string | null {
  const by = facts.text("replacement");
  const took = facts.count("took_s");
  if (by === null || took === null) return null;
  return words.engines.activity.replaced(facts.engine, by, shortDuration(took));
}

function connected(facts: Facts): string {
  const { activity } = words.engines;
  return facts.event.category === "connected" && facts.lasted === undefined
    ? activity.vpnConnected(facts.vpn)
    : facts.after(activity.vpnBack(facts.vpn));
}

function emergencyOver(facts: Facts): string | null {
  return facts.after(words.engines.activity.emergencyOver);
}

const SENTENCES: Record<string, (facts: Facts) => string | null> = {
  "engine created": started,
  "engine failed": stopped,
  "engine replaced": replaced,
  "engine draining": (facts) =>
    facts.because(
      words.engines.activity.draining(facts.engine),
      facts.reason() ?? words.engines.activity.reasons.requested ?? null,
    ),
  "engine recovered": (facts) => facts.after(words.engines.activity.back(facts.engine)),
  "engine deleted": removed,
  "engine claimed": (facts) =>
    words.engines.activity.reserved(facts.engine, shortDuration(facts.count("lease_s") ?? 0)),
  "stream started": (facts) =>
    words.engines.activity.streamStarted(streamName(facts), facts.engine),
  "stream ended": streamEnded,
  "health failed": silent,
  "health recovered": (facts) =>
    facts.event.container_id
      ? facts.after(words.engines.activity.answers(facts.engine))
      : facts.after(words.engines.activity.startsResumed),
  "health warning": unwell,
  "health insufficient_engines": (facts) => {
    const [healthy, minimum] = [facts.count("healthy_engines"), facts.count("minimum")];
    return healthy === null || minimum === null
      ? null
      : words.engines.activity.tooFew(healthy, minimum);
  },
  "vpn connected": connected,
  "vpn recovered": connected,
  "vpn disconnected": (facts) => words.engines.activity.vpnLost(facts.vpn),
  "vpn restarting": (facts) => words.engines.activity.vpnRestarting(facts.vpn),
  "vpn restarted": () => words.engines.activity.vpnRenewed,
  "vpn recreated": () => words.engines.activity.vpnRenewed,
  "vpn port_changed": (facts) =>
    words.engines.activity.portChanged(
      facts.vpn,
      String(facts.event.details.port ?? words.engines.activity.noPort),
    ),
  "vpn emergency": (facts) => {
    const [failed, healthy] = [facts.text("failed_vpn"), facts.text("healthy_vpn")];
    return failed && healthy ? words.engines.activity.emergency(failed, healthy) : null;
  },
  "vpn emergency_over": emergencyOver,
  "system scaling": scaled,
  "system started": (facts) => {
    const total = facts.count("total_engines");
    return total === null ? null : words.engines.activity.replacingAll(total);
  },
  "system ended": (facts) => {
    const total = facts.count("total_engines");
    return total === null ? null : facts.after(words.engines.activity.replacedAll(total));
  },
  "system connected": (facts) => {
    const count = facts.count("engines");
    return count === null ? null : facts.after(words.engines.activity.runtimeBack(count));
  },
  "system disconnected": () => words.engines.activity.runtimeAway,
};

/** An event in plain words; null where its kind or its details are not known. */
export function sentence(facts: Facts): string | null {
  const kind = `${facts.event.event_type} ${facts.event.category}`;
  return Object.hasOwn(SENTENCES, kind) ? (SENTENCES[kind]?.(facts) ?? null) : null;
}

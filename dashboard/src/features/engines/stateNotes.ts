import type { Schema } from "../../api/http";
import { duration } from "../../lib/format";
import { words } from "../../messages";
import type { Tone } from "../../ui/basics";

type Status = Schema["OrchestratorStatus"];
type Engines = readonly Schema["EngineState"][];

/** A sentence about the fleet, and what it means for whoever reads it. */
export type StateNote = {
  key: "runtime" | "vpn" | "starts" | "full" | "blocked" | "starting" | "waiting" | "tooFew";
  tone: Tone;
  title: string;
  body?: string;
  details?: string;
};

/** What prevents starts, what is under way and what is missing, most important first. */
export function stateNotes(status: Status, engines: Engines): StateNote[] {
  const starting = startingCount(status, engines);
  const notes = [
    hindrance(status),
    progress(status, starting),
    waiting(engines),
    shortage(status, starting),
  ];
  return notes.filter((note) => note !== null);
}

/** Engines that are being started, or run and have not answered yet. */
export function startingCount({ engines: counts }: Status, engines: Engines): number {
  const silent = engines.filter(
    ({ health_status, draining, paused, external }) =>
      health_status === "unknown" && draining === null && !paused && !external,
  );
  return (counts.starting ?? 0) + silent.length;
}

function hindrance(status: Status): StateNote | null {
  const { runtime, provisioning } = status;
  const { state } = words.engines;
  if (runtime.reachable !== false) return provisioning.can_provision ? null : refusal(status);
  return {
    key: "runtime",
    tone: "bad",
    title: state.runtimeAway,
    body: state.runtimeAwayBody,
    details: typeof runtime.reason === "string" ? runtime.reason : undefined,
  };
}

/** Why no engine can be started now. */
function refusal({ capacity, engines, provisioning }: Status): StateNote | null {
  const { state } = words.engines;
  const reason = provisioning.blocked_reason_details;
  if (reason?.code === "vpn_disconnected") {
    return { key: "vpn", tone: "bad", title: state.vpnAway, body: state.vpnAwayBody };
  }
  if (reason?.code === "circuit_breaker") {
    const eta = reason.recovery_eta_seconds;
    const body = eta ? state.startsPausedFor(duration(eta)) : state.startsPausedSoon;
    return { key: "starts", tone: "warn", title: state.startsPaused, body };
  }
  const [running = 0, starting = 0, most = 0] = [
    engines.running,
    engines.starting,
    capacity.max_replicas,
  ];
  if (reason?.code === "max_capacity" && running + starting >= most) {
    // Those that are being started are counted in a sentence of their own.
    return starting > 0
      ? null
      : { key: "full", tone: "info", title: state.full(most), body: state.fullBody };
  }
  return { key: "blocked", tone: "warn", title: provisioning.blocked_reason ?? state.cannotStart };
}

function progress({ engines, capacity }: Status, starting: number): StateNote | null {
  if (starting === 0) return null;
  const all = Math.max(capacity.target ?? 0, (engines.running ?? 0) + (engines.starting ?? 0));
  const title = words.engines.state.starting(starting, engines.healthy ?? 0, all);
  return { key: "starting", tone: "info", title };
}

function waiting(engines: Engines): StateNote | null {
  const leaving = engines.filter(
    ({ draining, streams }) => draining !== null && draining !== "vpn_lost" && streams.length > 0,
  );
  if (leaving.length === 0) return null;
  const { state } = words.engines;
  return {
    key: "waiting",
    tone: "info",
    title: state.waiting(leaving.length),
    body: state.waitingBody(leaving.length),
  };
}

function shortage({ engines, capacity, runtime }: Status, starting: number): StateNote | null {
  const [healthy, minimum] = [engines.healthy ?? 0, capacity.min_replicas ?? 0];
  if (healthy >= minimum || starting > 0 || runtime.reachable === false) return null;
  const { state } = words.engines;
  return {
    key: "tooFew",
    tone: "warn",
    title: state.tooFew(healthy, minimum),
    body: state.tooFewBody,
  };
}

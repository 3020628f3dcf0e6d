import "./fixtures.request";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { configure } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { Router } from "wouter";
import type { Schema } from "../../api/http";
import type { Event } from "../../lib/events";
import { useExactHash } from "../../lib/hashLocation";
import { FeedbackProvider } from "../../ui/feedback";
import type { Engine } from "./list";

const PATIENCE_MS = 20_000;
configure({ asyncUtilTimeout: PATIENCE_MS });
vi.setConfig({ testTimeout: 3 * PATIENCE_MS });

/** Waits until nothing is thrown, also on a busy machine. */
export const until = <T,>(check: () => T) => vi.waitFor(check, { timeout: PATIENCE_MS });

/** What tests of the fleet's pages are shown in: a router, queries and messages. */
export function Frame({ children }: { children: ReactNode }) {
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return (
    <QueryClientProvider client={client}>
      <FeedbackProvider>
        <Router hook={useExactHash}>{children}</Router>
      </FeedbackProvider>
    </QueryClientProvider>
  );
}

export const engine = (id: string, more: Partial<Engine> = {}): Engine => ({
  container_id: id,
  container_name: `acestream-${id}`,
  host: "localhost",
  port: 19000,
  labels: {},
  forwarded: false,
  first_seen: "2026-11-30T10:00:00Z",
  last_seen: "2026-11-30T10:00:00Z",
  streams: [],
  health_status: "healthy",
  last_health_check: null,
  last_stream_usage: null,
  last_cache_cleanup: null,
  cache_size_bytes: null,
  vpn_container: null,
  engine_variant: "default",
  platform: null,
  version: null,
  forwarded_port: null,
  external: false,
  draining: null,
  paused: false,
  ...more,
});

type Status = Schema["OrchestratorStatus"];
type Counts = Record<string, number>;

/** The status of a fleet of two healthy engines, as it is wanted, and what differs from it. */
export function status({
  engines,
  capacity,
  blocked,
  ...more
}: {
  engines?: Counts;
  capacity?: Counts;
  blocked?: { code: string; message?: string; eta?: number };
} & Partial<Pick<Status, "status" | "runtime">> = {}): Status {
  const message = blocked?.message ?? "";
  return {
    status: "healthy",
    engines: { total: 2, running: 2, healthy: 2, unhealthy: 0, starting: 0, ...engines },
    streams: { active: 0, total: 0 },
    capacity: {
      total: 2,
      used: 0,
      available: 2,
      max_replicas: 10,
      min_replicas: 2,
      target: 2,
      ...capacity,
    },
    vpn: {},
    provisioning: {
      can_provision: blocked === undefined,
      circuit_breaker_state: blocked?.code === "circuit_breaker" ? "open" : "closed",
      last_failure: null,
      blocked_reason: blocked ? message : null,
      blocked_reason_details: blocked
        ? {
            code: blocked.code,
            message,
            recovery_eta_seconds: blocked.eta ?? null,
            can_retry: false,
            should_wait: false,
          }
        : null,
    },
    config: { engine_variant: "default" },
    runtime: { reachable: true, stale_s: null, reason: null },
    timestamp: "2026-11-30T10:00:00Z",
    ...more,
  };
}

let events = 0;

/** An event; each is a second later than the one that was made before it. */
export function event(
  type: Event["event_type"],
  category: Event["category"],
  about: string | null = null,
  details: Record<string, unknown> = {},
): Event {
  events += 1;
  return {
    id: events,
    timestamp: new Date(Date.UTC(2026, 10, 30, 10, 0, events)).toISOString(),
    event_type: type,
    category,
    message: `${type} ${category} as the server says it`,
    details,
    container_id: about,
    stream_id: null,
  };
}

/** An engine that was killed, and the event of its replacement. */
export const killed = (id: string, by: string, code: number | null = 137) => [
  event("engine", "failed", id, {
    name: `acestream-${id}`,
    exit_code: code,
    ran_s: 7_200,
    streams: 1,
  }),
  event("engine", "replaced", id, {
    name: `acestream-${id}`,
    reason: "killed",
    exit_code: code,
    replacement: `acestream-${by}`,
    replacement_container: by,
    took_s: 0.42,
  }),
];

export type Asked = { method: string; path: string; query: URLSearchParams; body: unknown };
type Answers = Record<string, (request: Asked) => unknown>;

/** Answers requests by `METHOD /path`; what is a Response stays one. Returns what was asked. */
export function serve(answers: Answers): Asked[] {
  const asked: Asked[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    const url = new URL(request.url);
    const text = await request.text();
    const made = {
      method: request.method,
      path: url.pathname,
      query: url.searchParams,
      body: text ? JSON.parse(text) : null,
    };
    asked.push(made);
    const found = answers[`${made.method} ${made.path}`];
    if (!found) return Response.json({ detail: "not found" }, { status: 404 });
    const answer = found(made);
    return answer instanceof Response ? answer : Response.json(answer);
  });
  return asked;
}

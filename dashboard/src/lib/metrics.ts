import type { Schema } from "../api/http";
import { live } from "../api/live";
import { Histories } from "./history";

const AN_HOUR = 1_200; // of samples, every three seconds

export const FIGURES = ["cpu_percent", "memory_percent", "disk_percent", "temperature_c"] as const;
export type Figure = (typeof FIGURES)[number];
export type Kept = Schema["MetricsHistory"];

/** The machine's figures since this page was opened. */
export const machine = new Histories(AN_HOUR);

/** Keeps them whichever page is shown; returns what ends it. */
export function keepMetrics(): () => void {
  return live.listen("system_metrics", () => {
    const metrics = live.value("system_metrics");
    if (!metrics) return;
    machine.add(Date.now() / 1000, {
      cpu_percent: metrics.cpu_usage.overall,
      memory_percent: metrics.memory.percent,
      disk_percent: metrics.storage.percent,
      temperature_c: metrics.temperature.max_c,
    } satisfies Record<Figure, number>);
  });
}

/** A match on the time axis of the charts; one that is still recorded has no end. */
export type MatchSpan = { matchId: string; from: number; to: number | null };
export type Charted = { times: number[]; matches: MatchSpan[] } & Record<Figure, (number | null)[]>;

/**
 * What the server has kept of a range, and behind it what this page has heard since. The server's
 * clock may be another than this device's, whose `heardAt` (Unix seconds) is when it answered.
 */
export function charted(kept: Kept | undefined, heardAt: number, since: Histories): Charted {
  const shift = kept ? heardAt - kept.to : 0;
  const times = (kept?.times ?? []).map((at) => at + shift);
  const columns = Object.fromEntries(
    FIGURES.map((name) => [name, [...(kept?.series[name] ?? [])]]),
  ) as Record<Figure, (number | null)[]>;
  const step = kept?.step_s ?? 0;
  const last = times[times.length - 1];
  const { times: fresh } = since.get("cpu_percent");
  fresh.forEach((at, n) => {
    if (last !== undefined && at < last + step) return;
    const before = times[times.length - 1];
    if (before !== undefined && at - before > Math.max(3 * step, 30)) {
      times.push(before + 1);
      for (const name of FIGURES) columns[name].push(null);
    }
    times.push(at);
    for (const name of FIGURES) columns[name].push(since.get(name).values[n] ?? null);
  });
  const matches = (kept?.matches ?? []).map(({ match_id, start, end }) => ({
    matchId: match_id,
    from: start + shift,
    to: end === null ? null : end + shift,
  }));
  return { times, matches, ...columns };
}

import type { Schema } from "../../api/http";
import type { words } from "../../messages";
import { nameOf } from "./engineName";
import type { Usages } from "./usage";

export type Engine = Schema["EngineState"];
type Texts = typeof words.engines.fleet;
export type Filter = keyof Texts["filters"];
export type Column = Exclude<keyof Texts["columns"], "address">;
export type Order = { column: Column; descending: boolean };

/** Whether an engine cannot do what it is for. */
export const hasProblem = ({ health_status, paused }: Engine) =>
  paused || health_status === "unhealthy";

export const FILTERS: Record<Filter, (engine: Engine) => boolean> = {
  all: () => true,
  healthy: (engine) => engine.health_status === "healthy",
  problems: hasProblem,
  busy: ({ streams }) => streams.length > 0,
  free: ({ streams }) => streams.length === 0,
  draining: ({ draining }) => draining !== null,
};

type Value = (engine: Engine, usage: Usages) => string | number;

const VALUES: Record<Column, Value> = {
  name: nameOf,
  health: ({ health_status, draining }) => `${health_status} ${draining ?? ""}`,
  streams: ({ streams }) => streams.length,
  cpu: ({ container_id }, usage) => usage[container_id]?.cpu_percent ?? -1,
  memory: ({ container_id }, usage) => usage[container_id]?.memory_usage ?? -1,
  vpn: ({ vpn_container }) => vpn_container ?? "",
};

export const COLUMNS = Object.keys(VALUES) as Column[];

/** The order that an address names: `cpu`, or `-cpu` for the highest first. */
export function orderOf(text: string | null): Order {
  const descending = text?.startsWith("-") ?? false;
  const column = COLUMNS.find((each) => each === text?.replace(/^-/, ""));
  return column ? { column, descending } : { column: "name", descending: false };
}

/** The order as an address names it; null for the usual one. */
export function orderText({ column, descending }: Order): string | null {
  if (column === "name" && !descending) return null;
  return `${descending ? "-" : ""}${column}`;
}

/** What a column is sorted by when it is chosen: numbers with the highest first. */
export const firstOrder = (column: Column): Order => ({
  column,
  descending: column === "streams" || column === "cpu" || column === "memory",
});

/** The engines in an order; equal ones by their names. */
export function sorted(engines: readonly Engine[], usage: Usages, order: Order): Engine[] {
  const value = VALUES[order.column];
  const sign = order.descending ? -1 : 1;
  return [...engines].sort(
    (a, b) => sign * compare(value(a, usage), value(b, usage)) || compare(nameOf(a), nameOf(b)),
  );
}

function compare(a: string | number, b: string | number): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return String(a).localeCompare(String(b), undefined, { numeric: true });
}

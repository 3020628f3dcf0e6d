import { useEffect, useReducer } from "react";
import type { Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { bytes, number } from "../../lib/format";
import { Histories } from "../../lib/history";
import { words } from "../../messages";

export type Usage = Schema["EngineUsage"];
export type Usages = Record<string, Usage>;

/** Kept while one looks at other tabs and pages, and over a reload: the last minutes of each engine. */
export const histories = new Histories(120);
histories.keepOverReload("touchline-engine-usage");

/** What each engine uses now; what it used before is kept in `histories`. */
export function useUsage(): Usages {
  const usage = useChannel("engine_usage");
  const [, drawn] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    if (!usage) return;
    const now = Date.now() / 1000;
    for (const [id, each] of Object.entries(usage)) {
      histories.add(now, { [`${id} cpu`]: each.cpu_percent, [`${id} memory`]: each.memory_usage });
    }
    histories.keepOnly((name) => name.slice(0, name.lastIndexOf(" ")) in usage);
    drawn();
  }, [usage]);
  return usage ?? {};
}

/** A dash until the first sample is there. */
export const cpuOf = (usage: Usage | undefined) =>
  usage ? words.format.percent(number(usage.cpu_percent, 1, 1)) : words.format.unknown;
export const memoryOf = (usage: Usage | undefined) =>
  usage ? bytes(usage.memory_usage) : words.format.unknown;

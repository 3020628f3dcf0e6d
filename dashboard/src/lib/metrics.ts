import { live } from "../api/live";
import { Histories } from "./history";

const AN_HOUR = 1_200; // of samples, every three seconds

/** The machine's figures since this page was opened. */
export const machine = new Histories(AN_HOUR);

/** Keeps them whichever page is shown; returns what ends it. */
export function keepMetrics(): () => void {
  return live.listen("system_metrics", () => {
    const metrics = live.value("system_metrics");
    if (!metrics) return;
    machine.add(Date.now() / 1000, {
      cpu: metrics.cpu_usage.overall,
      memory: metrics.memory.percent,
      disk: metrics.storage.percent,
      temperature: metrics.temperature.max_c,
    });
  });
}

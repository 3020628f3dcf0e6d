import { words } from "../../messages";
import { Sparkline } from "../../ui/basics";
import styles from "./Engines.module.css";
import { cpuOf, histories, memoryOf, type Usage } from "./usage";

/** Processor and memory of an engine, now and during the last minutes. */
export function UsageCurves({
  id,
  name,
  usage,
}: {
  id: string;
  name: string;
  usage: Usage | undefined;
}) {
  const { fleet } = words.engines;
  const [cpu, memory] = [cpuOf(usage), memoryOf(usage)];
  return (
    <div className={styles.curves}>
      <div>
        <span className="small muted">{fleet.cpu(cpu)}</span>
        <Sparkline series={histories.get(`${id} cpu`)} most={10} label={fleet.cpuOf(name, cpu)} />
      </div>
      <div>
        <span className="small muted">{fleet.memory(memory)}</span>
        <Sparkline series={histories.get(`${id} memory`)} label={fleet.memoryOf(name, memory)} />
      </div>
    </div>
  );
}

import { useChannel } from "../../api/live";
import { percent } from "../../lib/format";
import { machine } from "../../lib/metrics";
import { Card, Facts, Loading } from "../../ui/basics";
import { Chart } from "../../ui/Chart";

export function Metrics() {
  const metrics = useChannel("system_metrics");
  if (!metrics) return <Loading />;
  const { memory, storage, temperature, power_mode, cpu_usage } = metrics;
  const times = machine.get("cpu").times;
  const hot = temperature.max_c > 0;
  return (
    <div className="stack">
      <Card title="Now">
        <Facts
          facts={[
            ["CPU", percent(cpu_usage.overall)],
            ["Memory", `${memory.used_gb.toFixed(1)} of ${memory.total_gb.toFixed(1)} GiB`],
            ["Disk free", `${storage.free_gb.toFixed(1)} of ${storage.total_gb.toFixed(0)} GiB`],
            ["Hottest", hot ? `${temperature.max_c.toFixed(0)} °C` : "–"],
            ["Power mode", power_mode.name],
          ]}
        />
      </Card>
      <div className="columns">
        <Card title="CPU and memory">
          <Chart
            label="Since this page was opened"
            times={times}
            top={100}
            unit={(value) => percent(value)}
            lines={[
              { label: "CPU", values: machine.get("cpu").values },
              { label: "Memory", values: machine.get("memory").values },
            ]}
          />
        </Card>
        <Card title="Disk">
          <Chart
            label="Since this page was opened"
            times={times}
            top={100}
            unit={(value) => percent(value)}
            lines={[{ label: "In use", values: machine.get("disk").values }]}
          />
        </Card>
        {hot && (
          <Card title="Temperature">
            <Chart
              label="Since this page was opened"
              times={times}
              top={100}
              unit={(value) => `${Math.round(value)} °C`}
              lines={[{ label: "Hottest", values: machine.get("temperature").values }]}
            />
          </Card>
        )}
      </div>
    </div>
  );
}

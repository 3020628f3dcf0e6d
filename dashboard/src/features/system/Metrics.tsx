import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import { percent } from "../../lib/format";
import { charted, machine } from "../../lib/metrics";
import { Button, Card, ErrorNote, Facts, Loading } from "../../ui/basics";
import { Chart } from "../../ui/Chart";

type Range = "hour" | "day";

const RANGES: readonly (readonly [Range, string])[] = [
  ["hour", "Last hour"],
  ["day", "Last day"],
];

export function Metrics() {
  const metrics = useChannel("system_metrics");
  const [range, setRange] = useState<Range>("hour");
  const kept = useQuery({
    queryKey: ["metrics-history", range],
    placeholderData: (before) => before,
    queryFn: async () => ({
      history: await ask(api.GET("/api/v1/metrics-history", { params: { query: { range } } })),
      heardAt: Date.now() / 1000,
    }),
  });
  if (!metrics) return <Loading />;
  const { memory, storage, temperature, power_mode, cpu_usage } = metrics;
  const { times, ...figures } = charted(kept.data?.history, kept.data?.heardAt ?? 0, machine);
  const label = RANGES.find(([each]) => each === range)?.[1] ?? "";
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
      <fieldset className="row plain">
        <legend className="sr-only">How far back the charts go</legend>
        {RANGES.map(([each, title]) => (
          <Button
            key={each}
            size="small"
            aria-pressed={range === each}
            onClick={() => setRange(each)}
          >
            {title}
          </Button>
        ))}
      </fieldset>
      <ErrorNote error={kept.error} />
      <div className="columns">
        <Card title="CPU and memory">
          <Chart
            label={label}
            times={times}
            top={100}
            unit={(value) => percent(value)}
            lines={[
              { label: "CPU", values: figures.cpu_percent },
              { label: "Memory", values: figures.memory_percent },
            ]}
          />
        </Card>
        <Card title="Disk">
          <Chart
            label={label}
            times={times}
            top={100}
            unit={(value) => percent(value)}
            lines={[{ label: "In use", values: figures.disk_percent }]}
          />
        </Card>
        {hot && (
          <Card title="Temperature">
            <Chart
              label={label}
              times={times}
              top={100}
              unit={(value) => `${Math.round(value)} °C`}
              lines={[{ label: "Hottest", values: figures.temperature_c }]}
            />
          </Card>
        )}
      </div>
    </div>
  );
}

import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { useMatchTitle } from "../../api/capture";
import { api, ask, type Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { dateTime, percent } from "../../lib/format";
import { useHashState } from "../../lib/hashLocation";
import { type Charted, charted, type MatchSpan, machine } from "../../lib/metrics";
import { words } from "../../messages";
import { Button, Card, Empty, ErrorNote, Facts, Loading } from "../../ui/basics";
import { Chart } from "../../ui/Chart";
import styles from "./System.module.css";

const RANGES = ["hour", "day", "week"] as const;

/** Figures of the machine now, and over an hour, a day or a week. The range is in the address. */
export function Metrics() {
  const metrics = useChannel("system_metrics");
  const [wanted, setRange] = useHashState("range");
  const range = RANGES.find((each) => each === wanted) ?? "hour";
  const kept = useQuery({
    queryKey: ["metrics-history", range],
    placeholderData: (before) => before,
    queryFn: async () => ({
      history: await ask(api.GET("/api/v1/metrics-history", { params: { query: { range } } })),
      heardAt: Date.now() / 1000,
    }),
  });
  if (!metrics) return <Loading />;
  const text = words.system.metrics;
  const shown = charted(kept.data?.history, kept.data?.heardAt ?? 0, machine);
  return (
    <div className="stack">
      <Now metrics={metrics} />
      <fieldset className="row plain">
        <legend className="sr-only">{text.howFar}</legend>
        {RANGES.map((each) => (
          <Button
            key={each}
            size="small"
            aria-pressed={range === each}
            onClick={() => setRange(each)}
          >
            {text[each]}
          </Button>
        ))}
      </fieldset>
      <ErrorNote error={kept.error} />
      {shown.times.length < 2 ? (
        kept.isPending ? (
          <Loading />
        ) : (
          <Empty>{text.empty}</Empty>
        )
      ) : (
        <Charts label={text[range]} shown={shown} hot={metrics.temperature.max_c > 0} />
      )}
      {kept.data && <Matches matches={shown.matches} />}
    </div>
  );
}

function Now({ metrics }: { metrics: Schema["SystemMetrics"] }) {
  const { memory, storage, temperature, power_mode, cpu_usage } = metrics;
  const text = words.system.metrics;
  return (
    <Card title={text.now}>
      <Facts
        facts={[
          [text.cpu, percent(cpu_usage.overall)],
          [text.memory, text.ofTotal(memory.used_gb.toFixed(1), memory.total_gb.toFixed(1))],
          [text.diskFree, text.ofTotal(storage.free_gb.toFixed(1), storage.total_gb.toFixed(0))],
          [text.hottest, temperature.max_c > 0 ? text.degrees(temperature.max_c) : "–"],
          [text.powerMode, power_mode.name],
        ]}
      />
    </Card>
  );
}

function Charts({ label, shown, hot }: { label: string; shown: Charted; hot: boolean }) {
  const { times, matches } = shown;
  const titleOf = useMatchTitle();
  const text = words.system.metrics;
  const end = times[times.length - 1] ?? 0;
  const spans = matches.map(({ matchId, from, to }) => ({
    label: titleOf(matchId),
    from,
    to: to ?? end,
  }));
  const shared = { label, times, spans, top: 100 };
  return (
    <div className="columns">
      <Card title={text.cpuAndMemory}>
        <Chart
          {...shared}
          unit={(value) => percent(value)}
          lines={[
            { label: text.cpu, values: shown.cpu_percent },
            { label: text.memory, values: shown.memory_percent },
          ]}
        />
      </Card>
      <Card title={text.disk}>
        <Chart
          {...shared}
          unit={(value) => percent(value)}
          lines={[{ label: text.inUse, values: shown.disk_percent }]}
        />
      </Card>
      {hot && (
        <Card title={text.temperature}>
          <Chart
            {...shared}
            unit={text.degrees}
            lines={[{ label: text.hottest, values: shown.temperature_c }]}
          />
        </Card>
      )}
    </div>
  );
}

/** The matches that the charts shade, by name: for everybody who cannot point at a chart. */
function Matches({ matches }: { matches: readonly MatchSpan[] }) {
  const titleOf = useMatchTitle();
  const text = words.system.metrics;
  return (
    <Card
      title={
        <>
          {matches.length > 0 && <span className={styles.swatch} aria-hidden="true" />}
          {text.shaded}
        </>
      }
    >
      {matches.length === 0 ? (
        <p className="muted">{text.noMatch}</p>
      ) : (
        <ul className={styles.matches}>
          {matches.map(({ matchId, from, to }) => (
            <li key={matchId}>
              <Link href={`/matches/${encodeURIComponent(matchId)}`}>{titleOf(matchId)}</Link>{" "}
              <span className="muted small">
                {to === null
                  ? text.recordingSince(dateTime(from))
                  : text.recordedFrom(dateTime(from), dateTime(to))}
              </span>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

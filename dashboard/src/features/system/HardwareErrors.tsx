import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/http";
import { useHashState } from "../../lib/hashLocation";
import { words } from "../../messages";
import { Button, Card, Choice, ErrorNote, Facts, Note } from "../../ui/basics";

const RANGES = ["60", "360", "1440"] as const;

/** Errors of the video hardware, and the recordings that failed near them. */
export function HardwareErrors() {
  const [wanted, setWanted] = useHashState("minutes");
  const minutes = Number(RANGES.find((each) => each === wanted) ?? RANGES[0]);
  const found = useQuery({
    queryKey: ["correlations", minutes],
    queryFn: () =>
      ask(
        api.GET("/api/v1/diagnostics/recording-correlations", {
          params: { query: { lookback_minutes: minutes } },
        }),
      ),
  });
  const text = words.system.hardware;
  const { counts, recent } = found.data ?? {};
  const lists = [
    [text.errors, recent?.nvvic_errors],
    [text.timeouts, recent?.recording_stop_timeouts],
    [text.probes, recent?.probe_failures],
    [text.together, recent?.correlations],
  ] as const;
  const ranges = [text.hour, text.sixHours, text.day];
  return (
    <div className="stack">
      <p className="muted">{text.intro}</p>
      <div className="row">
        <Choice
          label={text.lookBack}
          value={String(minutes)}
          onChange={(event) => setWanted(event.target.value)}
          options={RANGES.map((each, n) => [each, ranges[n] ?? each] as const)}
        />
        <Button onClick={() => void found.refetch()}>{text.again}</Button>
      </div>
      <ErrorNote error={found.error} />
      {counts && (
        <Facts
          facts={[
            [text.errors, counts.nvvic_errors],
            [text.timeouts, counts.recording_stop_timeouts],
            [text.probes, counts.probe_failures],
            [text.together, counts.correlated_nvvic_events],
          ]}
        />
      )}
      {lists.map(([title, lines]) => (
        <Lines key={title} title={title} lines={lines ?? []} />
      ))}
      {counts && Object.values(counts).every((count) => count === 0) && (
        <Note tone="good" title={text.none} />
      )}
    </div>
  );
}

function Lines({ title, lines }: { title: string; lines: readonly { line: string }[] }) {
  if (lines.length === 0) return null;
  return (
    <Card title={title}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard */}
      <pre className="log" tabIndex={0}>
        {lines.map(({ line }) => line).join("\n")}
      </pre>
    </Card>
  );
}

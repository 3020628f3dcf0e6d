import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/http";
import { Button, Card, Choice, ErrorNote, Facts, Note } from "../../ui/basics";

export function Correlations() {
  const [minutes, setMinutes] = useState(60);
  const found = useQuery({
    queryKey: ["correlations", minutes],
    queryFn: () =>
      ask(
        api.GET("/api/v1/diagnostics/recording-correlations", {
          params: { query: { lookback_minutes: minutes } },
        }),
      ),
  });
  const { counts, recent } = found.data ?? {};
  const lists = [
    ["Hardware errors", recent?.nvvic_errors],
    ["Stops that timed out", recent?.recording_stop_timeouts],
    ["Segments refused by a probe", recent?.probe_failures],
    ["Hardware errors beside one of those", recent?.correlations],
  ] as const;
  return (
    <div className="stack">
      <p className="muted">Errors of the video hardware, and failures of a recording near them.</p>
      <div className="row">
        <Choice
          label="Look back"
          value={String(minutes)}
          onChange={(event) => setMinutes(Number(event.target.value))}
          options={[
            ["60", "An hour"],
            ["360", "Six hours"],
            ["1440", "A day"],
          ]}
        />
        <Button onClick={() => void found.refetch()}>Look again</Button>
      </div>
      <ErrorNote error={found.error} />
      {counts && (
        <Facts
          facts={[
            ["Hardware errors", counts.nvvic_errors],
            ["Stops timed out", counts.recording_stop_timeouts],
            ["Probes failed", counts.probe_failures],
            ["Together", counts.correlated_nvvic_events],
          ]}
        />
      )}
      {lists.map(
        ([title, lines]) =>
          lines &&
          lines.length > 0 && (
            <Card key={title} title={title}>
              {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard */}
              <pre className="log" tabIndex={0}>
                {lines.map((line) => line.line).join("\n")}
              </pre>
            </Card>
          ),
      )}
      {counts && Object.values(counts).every((count) => count === 0) && (
        <Note tone="good" title="Nothing of the kind was found" />
      )}
    </div>
  );
}

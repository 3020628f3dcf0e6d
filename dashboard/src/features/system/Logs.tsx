import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import type { LogNews } from "../../api/socket";
import { type Followed, follow } from "../../lib/lines";
import { Check, Choice, ErrorNote } from "../../ui/basics";

const LOGS = [
  ["health", "Health"],
  ["alerts", "Alerts"],
  ["watchdog", "Watchdog"],
] as const;
type LogType = (typeof LOGS)[number][0];

export function Logs() {
  const [type, setType] = useState<LogType>("health");
  return (
    <div className="stack">
      <Choice
        label="Log"
        value={type}
        onChange={(event) => setType(event.target.value as LogType)}
        options={LOGS}
      />
      <Log key={type} type={type} />
    </div>
  );
}

function Log({ type }: { type: LogType }) {
  const [filter, setFilter] = useState("");
  const [following, setFollowing] = useState(true);
  const [log, setLog] = useState<Followed | null>(null);
  const box = useRef<HTMLPreElement>(null);
  const news = useChannel(`log_${type}`) as LogNews | undefined;
  const tail = useQuery({
    queryKey: ["log", type],
    gcTime: 0,
    queryFn: () =>
      ask(
        api.GET("/api/v1/logs/{log_type}", {
          params: { path: { log_type: type }, query: { lines: 500 } },
        }),
      ),
  });
  useEffect(() => {
    if (tail.data) setLog({ lines: tail.data.lines, written: null });
  }, [tail.data]);
  const ready = log !== null;
  useEffect(() => {
    if (news && ready && following) setLog((now) => now && follow(now, news));
  }, [news, ready, following]);
  const shown = (log?.lines ?? []).filter((line) =>
    line.toLowerCase().includes(filter.toLowerCase()),
  );
  const count = shown.length;
  // biome-ignore lint/correctness/useExhaustiveDependencies: with every new line
  useEffect(() => {
    if (following && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [count, following]);
  return (
    <>
      <div className="row">
        <input
          className="input"
          style={{ maxWidth: 320 }}
          type="search"
          aria-label="Only lines with"
          placeholder="Only lines with…"
          value={filter}
          onChange={(event) => setFilter(event.target.value)}
        />
        <Check
          label="Follow"
          checked={following}
          onChange={(event) => setFollowing(event.target.checked)}
        />
        <span className="muted small">{count} lines</span>
      </div>
      <ErrorNote error={tail.error} />
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard */}
      <pre ref={box} className="log" tabIndex={0} role="log" aria-label={`Log ${type}`}>
        {shown.join("\n") || tail.data?.message || "No line."}
      </pre>
    </>
  );
}

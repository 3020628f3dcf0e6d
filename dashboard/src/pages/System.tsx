import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, ask, type Schema } from "../api/http";
import { useChannel } from "../api/live";
import { usePanoramaConfig } from "../api/panorama";
import type { LogNews } from "../api/socket";
import { percent } from "../lib/format";
import { type Followed, follow } from "../lib/lines";
import { machine } from "../lib/metrics";
import { applyTheme, savedTheme, type Theme } from "../lib/theme";
import {
  Badge,
  Button,
  Card,
  Check,
  Choice,
  Empty,
  ErrorNote,
  Facts,
  Field,
  Loading,
  Note,
  Switch,
  Tabs,
  type Tone,
} from "../ui/basics";
import { Chart } from "../ui/Chart";
import { useAction, useFeedback } from "../ui/feedback";

export default function System() {
  const [tab, setTab] = useState("metrics");
  return (
    <div className="page">
      <h1>System</h1>
      <Tabs
        label="System"
        value={tab}
        onChange={setTab}
        tabs={[
          { id: "metrics", title: "Metrics", content: () => <Metrics /> },
          { id: "logs", title: "Logs", content: () => <Logs /> },
          { id: "events", title: "Events", content: () => <Events /> },
          { id: "correlations", title: "Correlations", content: () => <Correlations /> },
          { id: "settings", title: "Settings", content: () => <Settings /> },
          { id: "check", title: "Check", content: () => <Checks /> },
        ]}
      />
    </div>
  );
}

function Metrics() {
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

const LOGS = [
  ["health", "Health"],
  ["alerts", "Alerts"],
  ["watchdog", "Watchdog"],
] as const;
type LogType = (typeof LOGS)[number][0];

function Logs() {
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

const PAGE = 50;
const EVENT_TONES: Record<string, Tone> = {
  failed: "bad",
  warning: "warn",
  recovered: "good",
  created: "info",
  started: "info",
};

function Events() {
  const [type, setType] = useState("");
  const [category, setCategory] = useState("");
  const [page, setPage] = useState(0);
  const newest = useChannel("events")?.[0]?.id;
  const stats = useQuery({
    queryKey: ["events", "stats", newest],
    queryFn: () => ask(api.GET("/events/stats")),
    placeholderData: (before) => before,
  });
  const list = useQuery({
    // The first page is asked for again when the socket tells of a new event.
    queryKey: ["events", type, category, page, page === 0 ? newest : null],
    placeholderData: (before) => before,
    queryFn: () =>
      ask(
        api.GET("/events", {
          params: {
            query: {
              limit: PAGE + 1,
              offset: page * PAGE,
              ...(type && { event_type: type }),
              ...(category && { category }),
            },
          },
        }),
      ),
  });
  const events = (list.data ?? []).slice(0, PAGE);
  const more = (list.data?.length ?? 0) > PAGE;
  const types = Object.keys(stats.data?.by_type ?? {});
  return (
    <div className="stack">
      <div className="fields">
        <Choice
          label="Type"
          value={type}
          onChange={(event) => {
            setType(event.target.value);
            setPage(0);
          }}
          options={[["", "All"], ...types.map((name) => [name, name] as const)]}
        />
        <Field
          label="Category"
          placeholder="such as failed"
          value={category}
          onChange={(event) => {
            setCategory(event.target.value.trim());
            setPage(0);
          }}
        />
      </div>
      <ErrorNote error={list.error} />
      {list.isPending ? (
        <Loading />
      ) : events.length === 0 ? (
        <Empty>No event of this kind.</Empty>
      ) : (
        <div className="table-wrap card">
          <table>
            <thead>
              <tr>
                <th>When</th>
                <th>Type</th>
                <th>What</th>
              </tr>
            </thead>
            <tbody>
              {events.map((event) => (
                <tr key={event.id}>
                  <td className="number">
                    <time dateTime={event.timestamp}>
                      {new Date(event.timestamp).toLocaleString()}
                    </time>
                  </td>
                  <td>
                    <Badge tone={EVENT_TONES[event.category] ?? "plain"}>
                      {event.event_type}: {event.category}
                    </Badge>
                  </td>
                  <td>{event.message}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      <div className="row">
        <Button disabled={page === 0} onClick={() => setPage(page - 1)}>
          Newer
        </Button>
        <span className="muted">Page {page + 1}</span>
        <Button disabled={!more} onClick={() => setPage(page + 1)}>
          Older
        </Button>
      </div>
    </div>
  );
}

function Correlations() {
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

function Settings() {
  const { confirm } = useFeedback();
  const preview = useChannel("status")?.preview;
  const [theme, setTheme] = useState(savedTheme);
  const watch = useAction(
    (enabled: boolean) =>
      ask(api.PUT("/api/v1/settings/preview-while-recording", { body: { enabled } })),
    { done: () => "Changed until the server ends" },
  );
  const { output, previewFps, change } = usePanoramaConfig();
  const emptied = useAction(
    async () => {
      const yes = await confirm({
        title: "Forget what was looked up?",
        body: "Answers that the server keeps for a short while are asked for anew.",
        action: "Forget",
      });
      return yes ? ask(api.POST("/cache/clear")) : null;
    },
    { done: (done) => done?.message },
  );
  const tidied = useAction(
    async () => {
      const yes = await confirm({
        title: "Remove events older than 30 days?",
        action: "Remove",
        danger: true,
      });
      return yes
        ? ask(api.POST("/events/cleanup", { params: { query: { max_age_days: 30 } } }))
        : null;
    },
    { done: (done) => done?.message },
  );
  return (
    <div className="columns">
      <Card title="Cameras">
        {preview && (
          <Switch
            label="A recording may be watched"
            checked={preview.preview_while_recording === true}
            onChange={(enabled) => watch.mutate(enabled)}
          />
        )}
        <p className="muted small">
          Viewers see the recording's own pictures. It holds until the server ends; the settings
          file has it for good.
        </p>
      </Card>
      <Card title="Panorama">
        <Switch
          label="As large as the cameras' own resolution"
          checked={output?.automatic === true}
          onChange={(on) =>
            change(
              on
                ? { automatic_size: true }
                : { output_width: output?.width, output_height: output?.height },
            )
          }
        />
        <p className="muted small">
          Now {output?.width} × {output?.height} pixels
        </p>
        <Field
          key={previewFps}
          label="Frames a second of its live picture"
          type="number"
          min={1}
          max={60}
          defaultValue={previewFps}
          onBlur={(event) => {
            const wanted = Number(event.target.value);
            if (wanted && wanted !== previewFps) change({ preview_fps_target: wanted });
          }}
        />
      </Card>
      <Card title="This page">
        <Choice
          label="Colours"
          value={theme}
          onChange={(event) => {
            const chosen = event.target.value as Theme;
            applyTheme(chosen);
            setTheme(chosen);
          }}
          options={[
            ["system", "As the device"],
            ["light", "Light"],
            ["dark", "Dark"],
          ]}
        />
      </Card>
      <Card title="Tidying up">
        <div className="row">
          <Button onClick={() => emptied.mutate(undefined)}>Forget what was looked up</Button>
          <Button onClick={() => tidied.mutate(undefined)}>Remove old events</Button>
        </div>
      </Card>
    </div>
  );
}

const FINDING_TONES: Record<Schema["Finding"]["state"], Tone> = {
  ok: "good",
  info: "info",
  warn: "warn",
  missing: "bad",
};

function Checks() {
  const check = useQuery({
    queryKey: ["check"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => ask(api.GET("/api/v1/check")),
  });
  return (
    <div className="stack">
      <div className="row">
        <Button disabled={check.isFetching} onClick={() => void check.refetch()}>
          {check.isFetching ? "Checking…" : "Check again"}
        </Button>
        {check.data &&
          (check.data.ok ? (
            <Badge tone="good">nothing that is needed is missing</Badge>
          ) : (
            <Badge tone="bad">something is missing</Badge>
          ))}
      </div>
      <ErrorNote error={check.error} />
      {check.isPending && <Loading what="Looking at elements, permissions, disk and Docker…" />}
      <ul className="stack">
        {check.data?.findings.map((finding) => (
          <li key={`${finding.what}${finding.message}`} className="card">
            <div className="row">
              <Badge tone={FINDING_TONES[finding.state]}>{finding.state}</Badge>
              <strong>{finding.what}</strong>
              <span className="grow">{finding.message}</span>
            </div>
            {finding.mend && finding.state !== "ok" && <code>{finding.mend}</code>}
          </li>
        ))}
      </ul>
    </div>
  );
}

import { fireEvent, screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { asked, kept, routes, show } from "../../testing/page";

vi.mock("../../api/live", () => import("../../testing/live"));
vi.mock("uplot/dist/uPlot.min.css", () => ({}));
vi.mock("uplot", () => ({
  default: class {
    setSize() {}
    setData() {}
    destroy() {}
  },
}));

import { loadLanguage } from "../../messages";
import { channels } from "../../testing/live";
import { Checks } from "./Checks";
import { Events } from "./Events";
import { HardwareErrors } from "./HardwareErrors";
import { Logs } from "./Logs";
import { Metrics } from "./Metrics";
import System from "./System";

vi.setConfig({ testTimeout: 30_000 });
const patient = { timeout: 20_000 };

afterEach(() => loadLanguage("en"));

const NOW = Date.now() / 1000;
const DERBY = "2026-11-27 Lions - Tigers - Cup";
const metrics = {
  cpu_usage: { overall: 12 },
  memory: { used_gb: 2, total_gb: 8, percent: 25 },
  storage: { free_gb: 100, total_gb: 500, percent: 80 },
  temperature: { max_c: 0 },
  power_mode: { name: "default" },
};
const history = (times: number[], more: object = {}) => {
  const nothing = times.map(() => null);
  return {
    range: "hour",
    step_s: 10,
    from: NOW - 3600,
    to: NOW,
    times,
    series: {
      cpu_percent: times.map((_, n) => 10 + n),
      memory_percent: nothing,
      disk_percent: nothing,
      temperature_c: nothing,
      engines: nothing,
      streams: nothing,
    },
    matches: [],
    ...more,
  };
};

test("right after the first start the charts say that figures are to come", async () => {
  channels.system_metrics = metrics;
  routes["GET /api/v1/metrics-history"] = history([]);
  show(<Metrics />);
  expect(await screen.findByText(/^No figures yet/, {}, patient)).toBeDefined();
  expect(screen.queryByRole("img")).toBeNull();
});

test("a week is asked for, and its matches are named in the charts and listed", async () => {
  channels.system_metrics = metrics;
  const matches = [
    { match_id: DERBY, start: NOW - 3000, end: NOW - 2000 },
    { match_id: "running", start: NOW - 60, end: null },
  ];
  routes["GET /api/v1/metrics-history"] = history([NOW - 3600, NOW - 1800], { matches });
  show(<Metrics />, "#/system?range=week");
  const chart = await screen.findByRole("img", { name: /^Last week: CPU/ }, patient);
  expect(chart.getAttribute("aria-label")).toBe(
    "Last week: CPU now 11 %, between 10 % and 11 %; Memory no figures yet; Matches: Lions – Tigers, running",
  );
  expect(asked.map(({ query }) => query)).toContain("?range=week");
  const list = screen.getByRole("region", { name: /^Matches in this time/ });
  const link = within(list).getByRole("link", { name: "Lions – Tigers" });
  expect(link.getAttribute("href")).toBe(`#/matches/${encodeURIComponent(DERBY)}`);
  expect(within(list).getByText(/^recording since/)).toBeDefined();
  fireEvent.click(screen.getByRole("button", { name: "Last day" }));
  expect(kept("range")).toBe("day");
});

const alert = JSON.stringify({
  details: { match_id: DERBY },
  event_type: "recording_camera_lost",
  message: "Recording lost camera 1",
  severity: "error",
  ts: "2026-11-27T14:02:41Z",
});
const tail = (log_type: string, lines: string[]) => ({
  log_type,
  lines,
  total_lines: lines.length,
});

test("alerts in a log are red and lead to their match; filters are in the address", async () => {
  routes["GET /api/v1/logs/alerts"] = tail("alerts", [alert]);
  routes["GET /api/v1/recordings"] = { recordings: {} };
  show(<Logs />, "#/system?tab=logs&log=alerts");
  const log = await screen.findByRole("log", { name: "Log: Alerts" }, patient);
  const link = await within(log).findByRole("link", { name: "Match: Lions – Tigers" }, patient);
  expect(link.parentElement?.className).toMatch(/alert/);
  fireEvent.change(screen.getByLabelText("Only lines with"), { target: { value: "nothing" } });
  expect(log.textContent).toBe("No line matches this filter.");
  expect(kept("line")).toBe("nothing");
  fireEvent.change(screen.getByLabelText("Level"), { target: { value: "alerts" } });
  expect(kept("level")).toBe("alerts");
});

test("all logs are one, and an empty one says so", async () => {
  routes["GET /api/v1/log-files"] = { files: [{ name: "error.log" }, { name: "touchline.log" }] };
  const line = { ts: "2026-11-27T14:01:00.000Z", level: "info", logger: "x", message: "begun" };
  routes["GET /api/v1/log-files/touchline.log"] = file("touchline.log", [JSON.stringify(line)]);
  routes["GET /api/v1/logs/health"] = tail("health", ["[2026-11-27 14:00:00] INFO: healthy"]);
  routes["GET /api/v1/logs/alerts"] = tail("alerts", [alert]);
  routes["GET /api/v1/logs/watchdog"] = tail("watchdog", []);
  routes["GET /api/v1/recordings"] = { recordings: {} };
  show(<Logs />, "#/system?log=all&level=alerts");
  expect(await screen.findByText("1 line", {}, patient)).toBeDefined();
  fireEvent.change(screen.getByLabelText("Level"), { target: { value: "all" } });
  expect(await screen.findByText("3 lines", {}, patient)).toBeDefined();
  expect(screen.getByRole("log").textContent).toMatch(/healthy.*begun.*lost camera/s);
  fireEvent.change(screen.getByLabelText("Log"), { target: { value: "watchdog" } });
  expect(await screen.findByText("No lines yet.", {}, patient)).toBeDefined();
});

const file = (name: string, lines: string[]) => ({ name, lines, total_lines: lines.length });

test("files of the server and its programs are offered by name, filtered and saved", async () => {
  routes["GET /api/v1/recordings"] = { recordings: {} };
  channels.cameras = { cameras: [{ id: 0, name: "LEFT" }] };
  const names = ["alerts.log", "cam0.log", "live.log", "touchline.log", "watchdog.log"];
  routes["GET /api/v1/log-files"] = { files: names.map((name) => ({ name })) };
  routes["GET /api/v1/log-files/cam0.log"] = file("cam0.log", [
    "2026-11-27T14:02:39.104Z cam0 INFO recording",
    "2026-11-27T14:02:40.104Z cam0 ERROR the writer failed",
    "  Traceback",
  ]);
  const saved = vi.fn(() => "blob:x");
  Object.assign(URL, { createObjectURL: saved, revokeObjectURL: () => undefined });
  show(<Logs />, "#/system?tab=logs&log=cam0.log");
  const log = await screen.findByRole("log", { name: "Log: LEFT" }, patient);
  await screen.findByRole("option", { name: "Live pictures" }, patient);
  expect(screen.getAllByRole("option").map(({ textContent }) => textContent)).toEqual([
    ...["All logs", "Health", "Alerts", "Watchdog", "Server", "LEFT", "Live pictures"],
    ...["Everything", "Warnings and alerts", "Alerts only"],
  ]);
  fireEvent.change(screen.getByLabelText("Level"), { target: { value: "alerts" } });
  await vi.waitFor(() => expect(log.textContent).not.toContain("INFO"), patient);
  expect(log.textContent).toContain("the writer failed  Traceback");
  // What is filtered is looked for as far back as the server gives it.
  await vi.waitFor(() => expect(asked.some(({ query }) => query === "?lines=5000")).toBe(true));
  fireEvent.click(screen.getByRole("button", { name: "Download" }));
  expect(await screen.findByText(/^Saved as touchline LEFT /, {}, patient)).toBeDefined();
  expect(saved).toHaveBeenCalledOnce();
});

test("a log that does not exist says so", async () => {
  const gone = { detail: "There is no log file of this name", code: "log_file_not_found" };
  routes["GET /api/v1/recordings"] = { recordings: {} };
  routes["GET /api/v1/log-files"] = { files: [] };
  routes["GET /api/v1/log-files/cam7.log"] = () => Response.json(gone, { status: 404 });
  show(<Logs />, "#/system?tab=logs&log=cam7.log");
  expect(await screen.findByText("This log no longer exists.", {}, patient)).toBeDefined();
});

const event = (more: object) => ({
  id: 1,
  timestamp: "2026-11-27T14:02:41.000000Z",
  event_type: "recording_camera_lost",
  category: "alert",
  message: "Recording lost camera 1",
  details: { match_id: DERBY },
  container_id: null,
  stream_id: null,
  ...more,
});

test("events have words, their colour, and links to what they are about", async () => {
  routes["GET /events/stats"] = { total: 2, by_type: { engine: 1 }, oldest: null, newest: null };
  const engine = {
    id: 2,
    event_type: "engine",
    category: "failed",
    message: "gone",
    details: { name: "acestream-2" },
    container_id: "abc",
  };
  routes["GET /events"] = [event(engine), event({})];
  show(<Events />, "#/system?tab=events");
  const lost = await screen.findByText("Camera lost", {}, patient);
  expect(lost.className).toContain("bad");
  expect(screen.getByText("Engine: failed").className).toContain("bad");
  expect(screen.getByRole("link", { name: "Match Lions – Tigers" })).toBeDefined();
  expect(screen.getByRole("link", { name: "acestream-2" })).toBeDefined();
  fireEvent.change(screen.getByLabelText("Search"), { target: { value: "tigers LOST" } });
  await vi.waitFor(() => expect(screen.queryByText("Engine: failed")).toBeNull(), patient);
  expect(screen.getByText("Camera lost")).toBeDefined();
  expect(kept("search")).toBe("tigers LOST");
});

test("events name match and camera as every other page does, in the language of the page", async () => {
  await loadLanguage("de");
  channels.cameras = { cameras: [{ id: 0, name: "LINKS" }] };
  const details = { home: "Eulen", away: "Bären" };
  routes["GET /api/v1/recordings"] = { recordings: { [DERBY]: { details, files: [] } } };
  routes["GET /events/stats"] = { total: 2, by_type: {}, oldest: null, newest: null };
  const lost = { event_type: "recording_camera_lost", category: "alert", message: "lost camera 0" };
  const away = { id: 3, event_type: "system", category: "disconnected", message: "runtime lost" };
  routes["GET /events"] = [
    event({ ...lost, details: { match_id: DERBY, camera_id: 0 } }),
    event({ ...away, details: {} }),
  ];
  show(<Events />, "#/system?tab=events");
  expect(await screen.findByText(/^LINKS /, {}, patient)).toBeDefined();
  expect(await screen.findByRole("link", { name: "Spiel Eulen – Bären" }, patient)).toBeDefined();
  expect(screen.queryByText("runtime lost")).toBeNull();
});

test("without events the list says what comes there, and a filter that none was found", async () => {
  routes["GET /events/stats"] = { total: 0, by_type: {}, oldest: null, newest: null };
  routes["GET /events"] = [];
  show(<Events />);
  expect(await screen.findByText(/^No events yet/, {}, patient)).toBeDefined();
  fireEvent.change(screen.getByLabelText("Category"), { target: { value: "failed" } });
  expect(await screen.findByText("No events found.", {}, patient)).toBeDefined();
});

test("what is missing stands first, with what installs it to be copied", async () => {
  const writeText = vi.fn(async () => undefined);
  Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });
  const mend = "sudo apt-get install ffmpeg";
  routes["GET /api/v1/check"] = {
    ok: false,
    findings: [
      { what: "GStreamer", state: "ok", message: "1.24", mend: null },
      { what: "ffmpeg", state: "missing", message: "needed", mend },
    ],
  };
  show(<Checks />);
  expect(await screen.findByText("1 required item is missing", {}, patient)).toBeDefined();
  expect(screen.getAllByRole("listitem")[0]?.textContent).toContain("ffmpeg");
  fireEvent.click(screen.getByRole("button", { name: "Copy how to fix ffmpeg" }));
  expect(writeText).toHaveBeenCalledWith(mend);
});

test("a machine that has everything is told so", async () => {
  routes["GET /api/v1/check"] = { ok: true, findings: [] };
  show(<Checks />);
  expect(await screen.findByText("Everything required is installed", {}, patient)).toBeDefined();
});

test("hardware errors that are not there are told so", async () => {
  const counts = {
    nvvic_errors: 0,
    recording_stop_timeouts: 0,
    probe_failures: 0,
    correlated_nvvic_events: 0,
  };
  const recent = {
    nvvic_errors: [],
    recording_stop_timeouts: [],
    probe_failures: [],
    correlations: [],
  };
  routes["GET /api/v1/diagnostics/recording-correlations"] = { counts, recent };
  show(<HardwareErrors />, "#/system?minutes=1440");
  expect(await screen.findByText("No hardware errors found", {}, patient)).toBeDefined();
  expect(asked[0]?.query).toBe("?lookback_minutes=1440");
});

test("the tab of the address is shown, and one that does not exist is the first", () => {
  show(<System />, "#/system?tab=nonsense");
  const selected = () => screen.getByRole("tab", { selected: true }).textContent;
  expect(selected()).toBe("Metrics");
  fireEvent.mouseDown(screen.getByRole("tab", { name: "Hardware errors" }));
  expect(selected()).toBe("Hardware errors");
  expect(kept("tab")).toBe("hardware");
});

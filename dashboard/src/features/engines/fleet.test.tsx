import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { engine, Frame, serve, status } from "./fixtures";

const told: Record<string, unknown> = {};
vi.mock("../../api/live", () => ({ useChannel: (channel: string) => told[channel] }));

import { drainingText } from "./EngineBadges";
import Engines from "./Engines";
import { Fleet } from "./Fleet";
import { orderOf, orderText, sorted } from "./list";
import { Streams } from "./Streams";
import { cpuOf, memoryOf } from "./usage";

beforeEach(() => {
  location.hash = "#/engines";
  for (const name of Object.keys(told)) delete told[name];
  serve({});
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const usage = (id: string, cpu_percent: number) =>
  ({ container_id: id, cpu_percent, memory_usage: 2 ** 28 }) as never;
const show = (open = vi.fn()) =>
  render(
    <Frame>
      <Fleet usage={{ "2": usage("2", 40), "10": usage("10", 5) }} onOpen={open} />
    </Frame>,
  );
const names = () => screen.getAllByRole("heading", { level: 2 }).map((each) => each.textContent);

test("where no engine runs it is said what to do", () => {
  told.engines = [];
  told.orchestrator = status({ engines: { running: 0, healthy: 0 } });
  show();
  expect(screen.getByText("No engine runs").parentElement?.textContent).toContain("press Apply");
});

test("where the first engine starts, or all are behind a lost VPN, that is said", () => {
  told.engines = [];
  told.orchestrator = status({ engines: { running: 0, healthy: 0, starting: 1 } });
  const page = show();
  expect(screen.getByText("The first engine is starting.")).toBeDefined();
  page.unmount();
  told.orchestrator = status({ engines: { running: 2 } });
  show();
  expect(screen.getByText(/appear again when it is back/)).toBeDefined();
});

test("the state of an engine is in words, without the health of one that drains", () => {
  told.engines = [
    engine("1", { paused: true, health_status: "unhealthy" }),
    engine("2", { draining: "outdated", health_status: "unknown" }),
    engine("3", { external: true }),
    engine("4", { health_status: "unhealthy" }),
    engine("5", { health_status: "unknown" }),
  ];
  show();
  const badges = (id: string) =>
    [...screen.getByRole("region", { name: `acestream-${id}` }).querySelectorAll(".badge")].map(
      (badge) => badge.textContent,
    );
  expect(badges("1")).toEqual(["paused"]);
  expect(badges("2")).toEqual(["draining: old settings"]);
  expect(badges("3")).toEqual(["healthy", "not managed here"]);
  expect(badges("4")).toEqual(["not answering"]);
  expect(badges("5")).toEqual(["starting"]);
});

test("a drain that was asked for is no fault of the engine; an unknown reason is told as it is", () => {
  expect(drainingText("requested")).toBe("draining");
  expect(drainingText("moonphase")).toBe("draining: moonphase");
});

test("the view, the filter and the order stand in the address", () => {
  told.engines = [engine("10", { streams: ["ch-1"] }), engine("2")];
  show();
  expect(names()).toEqual(["acestream-2", "acestream-10"]);
  fireEvent.click(screen.getByLabelText("Table"));
  fireEvent.click(screen.getByRole("button", { name: "CPU" }));
  expect(location.hash).toBe("#/engines?view=table&sort=-cpu");
  const rows = screen.getAllByRole("row").slice(1);
  expect(rows.map((row) => within(row).getByRole("rowheader").textContent)).toEqual([
    "acestream-2",
    "acestream-10",
  ]);
  expect(screen.getByRole("columnheader", { name: "CPU" }).getAttribute("aria-sort")).toBe(
    "descending",
  );
  fireEvent.change(screen.getByLabelText("Show"), { target: { value: "busy" } });
  expect(location.hash).toContain("show=busy");
  expect(screen.getAllByRole("row").length).toBe(2);
});

test("a filter that nothing matches can be taken back", () => {
  location.hash = "#/engines?show=problems";
  told.engines = [engine("1")];
  show();
  fireEvent.click(screen.getByRole("button", { name: "Show all" }));
  expect(names()).toEqual(["acestream-1"]);
});

test("an order is read from an address and written to it", () => {
  expect(orderText(orderOf("-memory"))).toBe("-memory");
  expect(orderText(orderOf("nonsense"))).toBeNull();
  const engines = [engine("1"), engine("2", { vpn_container: "b" })];
  expect(sorted(engines, {}, orderOf("-vpn")).map((each) => each.container_id)).toEqual(["2", "1"]);
});

test("before the first sample an engine has dashes and no zeros", () => {
  expect([cpuOf(undefined), memoryOf(undefined)]).toEqual(["–", "–"]);
});

test("a card opens the activity of its engine", () => {
  told.engines = [engine("2")];
  const open = vi.fn();
  show(open);
  fireEvent.click(screen.getByRole("button", { name: "Activity of acestream-2" }));
  expect(open).toHaveBeenCalledWith("2");
});

test("the tab of the address is shown, and the badge says how the fleet is", () => {
  location.hash = "#/engines?tab=vpn";
  told.orchestrator = status({ status: "degraded" });
  told.vpn = { enabled: false, mode: "disabled", emergency_mode: {} };
  render(
    <Frame>
      <Engines />
    </Frame>,
  );
  expect(screen.getByText("degraded")).toBeDefined();
  expect(screen.getByText("No VPN is set up")).toBeDefined();
});

const stream = {
  id: "ch-1",
  key: "0123456789abcdef0123456789abcdef01234567",
  key_type: "infohash",
  container_id: "0123456789abcdef",
  started_at: null,
  peers: null,
  speed_down: null,
  speed_up: null,
};
const streams = () =>
  render(
    <Frame>
      <Streams onOpen={vi.fn()} />
    </Frame>,
  );

test("a stream has the name of its engine, and never its container's id while that is not known", () => {
  told.streams = [stream];
  const page = streams();
  expect(page.queryByText("0123456789ab")).toBeNull();
  page.unmount();
  told.engines = [{ container_id: stream.container_id, container_name: "acestream-7" }];
  expect(streams().getByText("acestream-7")).toBeDefined();
});

test("a stream has its title as soon as its engine tells it, and its short key until then", async () => {
  serve({ "GET /streams/ch-1/extended-stats": () => ({ title: "Derby" }) });
  told.streams = [stream];
  streams();
  expect(screen.getByRole("link").textContent).toBe("01234567…");
  expect((await screen.findByRole("link", { name: "Derby" })).getAttribute("href")).toBe(
    "#/engines/streams/ch-1",
  );
  expect(screen.getByText("01234567…").tagName).toBe("CODE");
  expect(screen.getByRole("button", { name: "Copy infohash" })).toBeDefined();
});

test("a magnet link has a name of its own", () => {
  told.streams = [{ ...stream, key_type: "magnet", key: "magnet:?xt=urn:btih:aa&dn=Cup+final" }];
  streams();
  expect(screen.getByRole("link", { name: "Cup final" })).toBeDefined();
});

test("where no stream plays it is said what comes here", () => {
  told.streams = [];
  streams();
  expect(screen.getByText("No stream is playing")).toBeDefined();
});

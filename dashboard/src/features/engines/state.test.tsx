import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { loadLanguage } from "../../messages";
import { engine, Frame, serve, status, until } from "./fixtures";

const told: Record<string, unknown> = {};
vi.mock("../../api/live", () => ({ useChannel: (channel: string) => told[channel] }));

import { FleetState } from "./FleetState";
import { Reprovisioning } from "./Reprovisioning";

beforeEach(() => {
  told.engines = [engine("1"), engine("2")];
});
afterEach(async () => {
  cleanup();
  vi.unstubAllGlobals();
  await loadLanguage("en");
});

const show = (state: ReturnType<typeof status>) =>
  render(
    <Frame>
      <FleetState state={state} />
    </Frame>,
  );

test("a fleet that is as it should be has no sentence", () => {
  const { container } = show(status());
  expect(container.querySelector(".note")).toBeNull();
  expect(screen.getByText("2 of 10")).toBeDefined();
});

test("engines that are started are counted with those that are healthy", () => {
  show(status({ engines: { running: 3, healthy: 3, starting: 1 }, capacity: { target: 4 } }));
  expect(screen.getByText("Starting 1 engine: 3 of 4 are healthy")).toBeDefined();
});

test("one that runs and has not answered yet is being started, too", () => {
  told.engines = [engine("1"), engine("2", { health_status: "unknown" })];
  show(status({ engines: { healthy: 1 } }));
  expect(screen.getByText("Starting 1 engine: 1 of 2 are healthy")).toBeDefined();
});

test("engines that drain are waited for as long as they have streams", () => {
  const draining = { draining: "requested", health_status: "unknown", streams: ["ch-1"] } as const;
  told.engines = [engine("1", { ...draining, streams: ["ch-1"] }), engine("2")];
  show(status());
  expect(screen.getByText("Waiting for 1 engine to finish its streams")).toBeDefined();
  expect(screen.queryByText(/Starting/)).toBeNull();
});

test("fewer healthy engines than the minimum are told, unless others are on their way", () => {
  const page = show(status({ engines: { healthy: 1, unhealthy: 1 } }));
  expect(screen.getByText("Only 1 of 2 required engines is healthy")).toBeDefined();
  page.unmount();
  show(status({ engines: { healthy: 1, starting: 1 } }));
  expect(screen.queryByText(/Only 1 of 2/)).toBeNull();
});

test("a runtime that is away is told with its own words under details", () => {
  const runtime = { reachable: false, stale_s: 3, reason: "connection refused" };
  show(status({ runtime, blocked: { code: "runtime_unavailable" } }));
  expect(screen.getByText("The container runtime is not responding")).toBeDefined();
  expect(screen.getByText("connection refused").closest("details")).not.toBeNull();
});

test("a VPN that is lost is why no engine can start", () => {
  show(status({ blocked: { code: "vpn_disconnected" } }));
  expect(screen.getByText("The VPN is not connected, so no engine can start")).toBeDefined();
});

test("an open circuit breaker says when it goes on, and may be closed at once", async () => {
  const asked = serve({ "POST /health/circuit-breaker/reset": () => ({ message: "reset" }) });
  show(status({ blocked: { code: "circuit_breaker", eta: 30 } }));
  const note = screen.getByText(/so starting engines is on hold/).closest(".note");
  expect(note?.textContent).toContain("The next attempt is in 30 s.");
  expect(
    within(note as HTMLElement)
      .getByText("See what happened")
      .getAttribute("href"),
  ).toBe("#/engines?tab=activity");
  fireEvent.click(screen.getByRole("button", { name: "Try again now" }));
  await until(() => expect(asked.length).toBe(1));
});

test("a full fleet says so; another reason is told in the server's words", () => {
  const page = show(
    status({ engines: { running: 10, healthy: 10 }, blocked: { code: "max_capacity" } }),
  );
  expect(screen.getByText("All 10 engines are running")).toBeDefined();
  page.unmount();
  show(status({ blocked: { code: "max_capacity", message: "every port is in use" } }));
  expect(screen.getByText("every port is in use")).toBeDefined();
});

test("the size goes up without a question, and the limits are said where they hold", async () => {
  const asked = serve({
    "POST /scale/3": () => ({ scaled_to: 3, target: 3, replicas: 2 }),
  });
  show(status());
  const apply = screen.getByRole("button", { name: "Apply" }) as HTMLButtonElement;
  expect(screen.getByText("Minimum is 2")).toBeDefined();
  expect(apply.disabled).toBe(true);
  fireEvent.click(screen.getByRole("button", { name: "More: Number of engines" }));
  expect(screen.getByText("3 of 10")).toBeDefined();
  fireEvent.click(apply);
  await until(() => expect(asked.map(({ path }) => path)).toEqual(["/scale/3"]));
  expect(screen.queryByRole("alertdialog")).toBeNull();
  await until(() => expect(apply.disabled).toBe(true));
  expect((screen.getByLabelText("Number of engines") as HTMLInputElement).value).toBe("3");
});

test("the maximum is said, and fewer engines than play streams stay until these end", () => {
  show(status({ engines: { running: 10 }, capacity: { target: 10, used: 3, max_replicas: 10 } }));
  expect(screen.getByText("Maximum is 10")).toBeDefined();
  const size = screen.getByLabelText("Number of engines");
  fireEvent.change(size, { target: { value: "2" } });
  fireEvent.blur(size);
  expect(
    screen.getByText("Minimum is 2 · 1 engine with streams stays until these end"),
  ).toBeDefined();
});

test("a refused size is told under the stepper, which has the old one again", async () => {
  serve({
    "POST /scale/3": () =>
      Response.json({ detail: { code: "database", message: "the disk is full" } }, { status: 503 }),
  });
  show(status());
  fireEvent.click(screen.getByRole("button", { name: "More: Number of engines" }));
  fireEvent.click(screen.getByRole("button", { name: "Apply" }));
  expect((await screen.findByRole("alert")).textContent).not.toBe("");
  expect((screen.getByLabelText("Number of engines") as HTMLInputElement).value).toBe("2");
});

test("what is wrong with an order of an engine stands at its field", async () => {
  serve({
    "POST /provision/acestream": () =>
      Response.json({ detail: { code: "port_in_use", message: "taken" } }, { status: 409 }),
  });
  show(status());
  fireEvent.click(screen.getByRole("button", { name: "Start with options" }));
  const port = screen.getByLabelText("Port on this machine");
  fireEvent.change(port, { target: { value: "19000" } });
  fireEvent.click(screen.getByRole("button", { name: "Start engine" }));
  await until(() => expect(port.getAttribute("aria-invalid")).toBe("true"));
  expect(screen.getByRole("alert").textContent).toBe("This port is in use.");
});

const replacing = {
  in_progress: true,
  status: "in_progress" as const,
  message: "as the server says it",
  timestamp: null,
  total_engines: 3,
  engines_stopped: 1,
  engines_provisioned: 1,
  current_engine_id: null,
  current_phase: "provisioning",
};

test.each([
  [{}, "Replacing engines: 1 of 3 done"],
  [{ current_phase: "stopping" }, "Waiting for 2 engines to finish their streams"],
  [
    { in_progress: false, status: "success" as const, engines_stopped: 3 },
    "All 3 engines have been replaced",
  ],
  [{ in_progress: false, status: "error" as const }, "Replacing the engines failed"],
])("a replacement of all engines says how far it is (%#)", (more, text) => {
  render(<Reprovisioning status={{ ...replacing, ...more }} />);
  expect(screen.getByText(text)).toBeDefined();
});

test("in German the sentences are German", async () => {
  await loadLanguage("de");
  show(status({ engines: { running: 3, healthy: 3, starting: 1 }, capacity: { target: 4 } }));
  expect(screen.getByText("1 Engine startet: 3 von 4 in Ordnung")).toBeDefined();
  expect(screen.getByRole("button", { name: "Übernehmen" })).toBeDefined();
});

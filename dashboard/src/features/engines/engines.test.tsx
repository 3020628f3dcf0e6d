import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { FeedbackProvider } from "../../ui/feedback";
import { cpuOf, DRAINING, drainBegun, memoryOf } from "./Fleet";
import { pairs } from "./FleetState";
import { Streams } from "./Streams";
import { Vpn } from "./Vpn";

const told: Record<string, unknown> = {};
vi.mock("../../api/live", () => ({ useChannel: (channel: string) => told[channel] }));

afterEach(cleanup);

const healthy = {
  container_name: "gluetun-a",
  status: "running",
  health: "healthy",
  connected: true,
  forwarded_port: 40123,
  public_ip: "203.0.113.7",
  city: "Oslo",
  country: "Norway",
  provider: "protonvpn",
  last_check: null,
};

test("without a VPN it is said whose network engines use", () => {
  told.vpn = { enabled: false, mode: "disabled", emergency_mode: {} };
  render(<Vpn />);
  expect(screen.getByText(/No VPN is configured/)).toBeDefined();
});

test("of two VPNs each has its state and place, and the lost one is named", () => {
  told.vpn = {
    enabled: true,
    mode: "redundant",
    connected: true,
    vpn1: healthy,
    vpn2: { ...healthy, container_name: "gluetun-b", connected: false, health: "unhealthy" },
    emergency_mode: { active: true, failed_vpn: "gluetun-b" },
  };
  render(<Vpn />);
  expect(screen.getByText("gluetun-b is lost")).toBeDefined();
  const first = within(screen.getByRole("region", { name: "gluetun-a" }));
  expect(first.getByText("connected")).toBeDefined();
  expect(first.getByText("Oslo, Norway")).toBeDefined();
  expect(first.getByText("40123")).toBeDefined();
  const second = within(screen.getByRole("region", { name: "gluetun-b" }));
  expect(second.getAllByText("unhealthy").length).toBeGreaterThan(0);
});

test("labels are lines of name and value", () => {
  expect(pairs("team=video\n\n url = http://a/?b=c \nalone")).toEqual({
    team: "video",
    url: "http://a/?b=c",
    alone: "",
  });
});

test("a drain that was asked for is no fault of the engine, and is not over when it begins", () => {
  expect(DRAINING.requested).toBe("draining");
  expect(drainBegun("acestream-2", 0)).toBe("acestream-2 is being replaced");
  expect(drainBegun("acestream-2", 1)).toBe(
    "acestream-2 is draining: it is removed when its stream has ended",
  );
  expect(drainBegun("acestream-2", 3)).toContain("its 3 streams have ended");
});

test("before the first sample an engine has dashes and no zeros", () => {
  expect([cpuOf(undefined), memoryOf(undefined)]).toEqual(["–", "–"]);
});

test("a stream has the name of its engine, and never its container's id while that is not known", () => {
  const stream = { id: "ch-1", container_id: "0123456789abcdef", started_at: null };
  told.streams = [stream];
  told.engines = undefined;
  const page = render(
    <QueryClientProvider client={new QueryClient()}>
      <FeedbackProvider>
        <Streams />
      </FeedbackProvider>
    </QueryClientProvider>,
  );
  expect(page.queryByText(/0123456789/)).toBeNull();
  told.engines = [{ container_id: stream.container_id, container_name: "acestream-7" }];
  page.rerender(
    <QueryClientProvider client={new QueryClient()}>
      <FeedbackProvider>
        <Streams />
      </FeedbackProvider>
    </QueryClientProvider>,
  );
  expect(page.getByText("acestream-7")).toBeDefined();
});

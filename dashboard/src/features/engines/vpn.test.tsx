import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { Frame } from "./fixtures";

const told: Record<string, unknown> = {};
vi.mock("../../api/live", () => ({ useChannel: (channel: string) => told[channel] }));

import { pairs } from "./StartEngine";
import { Vpn } from "./Vpn";

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
const show = () =>
  render(
    <Frame>
      <Vpn />
    </Frame>,
  );

test("without a VPN it is said whose network engines use", () => {
  told.vpn = { enabled: false, mode: "disabled", emergency_mode: {} };
  show();
  expect(screen.getByText("No VPN is set up").parentElement?.textContent).toContain(
    "this machine's own network",
  );
});

test("of two VPNs each has its state and place, and the lost one is named", () => {
  told.vpn = {
    enabled: true,
    mode: "redundant",
    connected: true,
    vpn1: healthy,
    vpn2: { ...healthy, container_name: "gluetun-b", connected: false, health: "unhealthy" },
    emergency_mode: { active: true, failed_vpn: "gluetun-b", duration_seconds: 130 },
  };
  show();
  expect(screen.getByText("gluetun-b has been lost for 2 min")).toBeDefined();
  const first = within(screen.getByRole("region", { name: "gluetun-a" }));
  expect(first.getByText("connected")).toBeDefined();
  expect(first.getByText("Oslo, Norway")).toBeDefined();
  expect(first.getByText("40123")).toBeDefined();
  const second = within(screen.getByRole("region", { name: "gluetun-b" }));
  expect(second.getAllByText("not connected").length).toBeGreaterThan(0);
});

test("the only VPN that is lost is told with what it means", () => {
  const lost = { ...healthy, connected: false, health: "unhealthy", last_check: "2026-11-30" };
  told.vpn = { ...lost, enabled: true, mode: "single", vpn1: lost, vpn2: null, emergency_mode: {} };
  show();
  expect(screen.getByText("gluetun-a is lost").parentElement?.textContent).toContain(
    "No engine can start",
  );
});

test("labels are lines of name and value", () => {
  expect(pairs("team=video\n\n url = http://a/?b=c \nalone")).toEqual({
    team: "video",
    url: "http://a/?b=c",
    alone: "",
  });
});

import { cleanup, render, screen, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { pairs } from "./FleetState";
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

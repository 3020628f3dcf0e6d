import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { live } from "../../api/live";
import { ConnectionBanner } from "./ConnectionBanner";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  cleanup();
  vi.useRealTimers();
  vi.restoreAllMocks();
});

function lose(reason: string | null) {
  live.connection = "lost";
  live.reason = reason;
  vi.spyOn(live, "onConnection").mockReturnValue(() => undefined);
  render(<ConnectionBanner />);
}

const told = () => screen.getByRole("status").textContent ?? "";

test("a connection that is lost for longer than a moment is told", () => {
  lose(null);
  expect(told()).toBe("");
  act(() => vi.advanceTimersByTime(1_100));
  expect(told()).toContain("No connection to the server");
  expect(screen.getByRole("button", { name: "Connect now" })).toBeDefined();
});

test("a server that has enough dashboards open says so", () => {
  lose("32 connections");
  act(() => vi.advanceTimersByTime(1_100));
  expect(told()).toContain("Too many open dashboards");
});

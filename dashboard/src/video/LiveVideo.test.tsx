import { act, cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";

const fake = vi.hoisted(() => ({
  connection: "open",
  told: null as null | { overHls: () => void; failed: (reason: string) => void },
}));
vi.mock("../api/live", () => ({ useConnection: () => fake.connection }));
vi.mock("./playLive", () => ({
  playLive: (_video: unknown, _stream: string, told: typeof fake.told) => {
    fake.told = told;
    return () => undefined;
  },
}));

import { LiveVideo } from "./LiveVideo";

afterEach(cleanup);

test("a picture that does not come says so in plain words, with the programs' under Details", () => {
  fake.connection = "open";
  render(<LiveVideo stream="cam0" label="LEFT" />);
  expect(screen.getByText("Connecting…")).toBeDefined();
  act(() => fake.told?.overHls());
  expect(screen.getByText("Trying another way…")).toBeDefined();
  act(() => fake.told?.failed("Could not acquire camera resources (503)"));
  expect(screen.getByText("No picture yet. Trying again…")).toBeDefined();
  const details = screen.getByText("Could not acquire camera resources (503)").closest("details");
  expect(details?.open).toBe(false);
  const video = screen.getByLabelText<HTMLVideoElement>("LEFT, live");
  act(() => void video.dispatchEvent(new Event("playing")));
  expect(screen.queryByText(/No picture/)).toBeNull();
});

test("without a connection the picture says so", () => {
  fake.connection = "lost";
  render(<LiveVideo stream="cam0" label="LEFT" />);
  expect(screen.getByText("Not connected to the server")).toBeDefined();
});

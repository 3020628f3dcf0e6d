import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Schema } from "../../api/http";
import { FeedbackProvider } from "../../ui/feedback";

const fake = vi.hoisted(() => ({
  commands: [] as [string, Record<string, unknown>][],
  report: {} as Record<string, unknown>,
}));
vi.mock("../../api/live", () => ({
  live: {
    onConnection: () => () => undefined,
    command: async (name: string, params: Record<string, unknown>) => {
      fake.commands.push([name, params]);
      return fake.report;
    },
  },
  useChannel: () => undefined,
  useConnection: () => "open",
}));

import { CameraCard } from "./Cameras";
import { StateCard } from "./State";

const camera = (id: number, name: string, more: Partial<Schema["CameraStatus"]> = {}) => ({
  id,
  name,
  kind: "rtsp",
  state: "running" as const,
  recovering: false,
  fps: 30,
  bitrate_bps: 1,
  last_frame_age_s: 0.1,
  dropped: {},
  last_error: null,
  ...more,
});
const LEFT = camera(0, "LEFT");
const LOST = camera(1, "RIGHT", { state: "error", last_error: "gst-resource-error-quark (7)" });
const guard = { active: false, unhealthy_streak: 0, cpu_percent: null, reasons: [] };
const idle: Schema["IdleRecording"] = {
  recording: false,
  match_id: null as never,
  duration: 0,
  cameras: {},
  degraded: false,
  degraded_cameras: {},
  camera_recovery: {},
  overload_guard: guard,
};

const shown = (cameras: Schema["CameraStatus"][], minutesLeft: number | null = null) =>
  render(
    <QueryClientProvider client={new QueryClient()}>
      <FeedbackProvider>
        <StateCard
          recording={idle}
          cameras={cameras}
          minutesLeft={minutesLeft}
          onStopped={() => undefined}
        />
      </FeedbackProvider>
    </QueryClientProvider>,
  );

beforeEach(() => {
  fake.commands.length = 0;
  fake.report = { success: true, message: "Recording started" };
});
afterEach(cleanup);

test("with a dead camera the state says so, and the others can be recorded without it", async () => {
  shown([LEFT, LOST]);
  expect(screen.getByRole("status").textContent).toBe("Not ready: RIGHT does not answer");
  fireEvent.click(screen.getByRole("button", { name: "Record with LEFT only" }));
  await vi.waitFor(() => expect(fake.commands).toHaveLength(1));
  expect(fake.commands[0]?.[1]).toMatchObject({ require_all_cameras: false });
});

test("with every camera there is nothing to choose", () => {
  shown([LEFT, camera(1, "RIGHT")]);
  expect(screen.getByRole("status").textContent).toBe("Ready");
  expect(screen.queryByRole("button", { name: /only/ })).toBeNull();
});

test("a start that fails stays on the page in plain words, with the programs' under Details", async () => {
  fake.report = {
    success: false,
    message: "Failed to start all required cameras",
    cameras_failed: [1],
    errors: { camera_1: "gst-resource-error-quark (7)" },
  };
  shown([LEFT, LOST]);
  fireEvent.click(screen.getByRole("button", { name: /Start recording/ }));
  const alert = await screen.findByRole("alert");
  expect(within(alert).getByText(/RIGHT does not answer/)).toBeDefined();
  const details = alert.querySelector("details") as HTMLDetailsElement;
  expect(details.open).toBe(false);
  expect(details.textContent).toContain("gst-resource-error-quark");
  expect(document.querySelector(".toast")).toBeNull();
  expect(fake.commands[0]?.[1]).toMatchObject({ require_all_cameras: null });
});

test.each([
  [2_401, "The disk lasts for 40 h of recording"],
  [2_879, "The disk lasts for 47 h of recording"],
  [4_330, "The disk lasts for 72 h of recording"],
  [236, "The disk lasts for 3 h 50 min of recording"],
  [45.6, "The disk lasts for 45 min of recording"],
])("the time left keeps to one unit (%d minutes)", (minutes, words) => {
  shown([LEFT], minutes);
  expect(screen.getByText(words)).toBeDefined();
});

test("frames are lost from matches, and from nothing else", () => {
  const counted = camera(0, "LEFT", { dropped: { source: 1_289 } });
  const active = {
    ...idle,
    recording: true as const,
    match_id: "m1",
    protected: false,
    require_all_cameras: true,
    cameras: {
      camera_0: { state: "running" as const, uptime: 1, dropped: { source: 3 }, gaps: 0 },
    },
  };
  const card = (recording: Schema["Status"]["recording"]) => (
    <CameraCard camera={counted} recording={recording} health={undefined} />
  );
  const { rerender } = render(card(idle));
  const value = () => screen.getByText("Frames lost").nextElementSibling?.textContent;
  expect(value()).toBe("–");
  rerender(card(active));
  expect(value()).toBe("3 (source)");
});

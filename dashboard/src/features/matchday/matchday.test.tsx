import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Schema } from "../../api/http";
import { active, camera, idle, LEFT, LOST, lastStop, loss, RIGHT, unwell } from "../../lib/fixtures";
import { en } from "../../messages/en";
import { FeedbackProvider } from "../../ui/feedback";

const fake = vi.hoisted(() => ({
  commands: [] as [string, Record<string, unknown>][],
  reports: [] as Record<string, unknown>[],
  channels: {} as Record<string, unknown>,
  connection: "open",
  matches: {} as Record<string, unknown>,
  asked: [] as string[],
}));
vi.mock("../../api/live", () => ({
  live: {
    onConnection: () => () => undefined,
    command: async (name: string, params: Record<string, unknown>) => {
      fake.commands.push([name, params]);
      return fake.reports.shift() ?? { success: true, message: "done" };
    },
  },
  useChannel: (channel: string) => fake.channels[channel],
  useConnection: () => fake.connection,
}));
vi.mock("../../video/LiveVideo", () => ({ LiveVideo: () => null }));

import { MatchDay } from "./MatchDay";

type Told = {
  recording?: Schema["Status"]["recording"];
  last_stop?: Schema["Status"]["last_stop"];
  cameras?: Schema["CameraStatus"][];
  health?: Schema["RecordingHealth"];
  temperature?: Partial<Schema["Temperature"]>;
  minutesLeft?: number | null;
};

/** The page as it is when the server has told this. */
function shown({
  recording = idle,
  last_stop = null,
  cameras = [LEFT, RIGHT],
  health,
  temperature,
  minutesLeft = 2_400,
}: Told = {}) {
  fake.channels = {
    status: { recording, last_stop, preview: { preview_while_recording: true } },
    cameras: { cameras, disk_minutes_left: minutesLeft },
    recording_health: health,
    system_metrics: temperature && {
      temperature: { max_c: 50, zones: [], warning: false, critical: false, ...temperature },
    },
    events: [],
  };
  return render(page());
}

const page = () => (
  <QueryClientProvider client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}>
    <FeedbackProvider>
      <MatchDay />
    </FeedbackProvider>
  </QueryClientProvider>
);

const word = () => document.querySelector(".state-word")?.textContent;
const state = () => within(screen.getByRole("region", { name: "State" }));
const problems = () => within(screen.getByRole("region", { name: "Problems" }));
const button = (name: string | RegExp) => screen.getByRole("button", { name });

beforeEach(() => {
  Object.assign(fake, { commands: [], reports: [], connection: "open", asked: [] });
  fake.matches = { m0: { details: { home: "Owls", away: "Bears" }, files: [], created_at: 1 } };
  sessionStorage.clear();
  localStorage.clear();
  vi.stubGlobal("fetch", async (request: Request) => {
    const { pathname } = new URL(request.url);
    fake.asked.push(`${request.method} ${pathname}`);
    const body = pathname === "/api/v1/recordings" ? { recordings: fake.matches } : [];
    return Response.json(pathname.endsWith("/markers") ? { markers: [] } : body);
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

describe("before a match", () => {
  test("with every camera there is nothing to choose", () => {
    shown();
    expect(word()).toBe("Ready");
    expect(screen.queryByRole("button", { name: /only/ })).toBeNull();
    expect(state().getByText("Room for about 40 h of recording")).toBeDefined();
  });

  test("with a dead camera the state says so, and the others can be recorded without it", async () => {
    shown({ cameras: [LEFT, LOST] });
    expect(word()).toBe("Not ready: RIGHT is offline");
    expect(state().getByText(/Check cable, power and network/)).toBeDefined();
    const details = state().getByText("RIGHT: gst-resource-error-quark (7)").closest("details");
    expect(details?.open).toBe(false);
    fireEvent.click(button("Record with LEFT only"));
    await waitFor(() => expect(fake.commands).toHaveLength(1));
    expect(fake.commands[0]?.[1]).toMatchObject({ require_all_cameras: false });
  });

  test.each([
    [{}, "LEFT ready"],
    [{ state: "error" }, "LEFT offline"],
    [{ state: "starting", recovering: true }, "LEFT offline, reconnecting"],
    [{ last_frame_age_s: 9 }, "LEFT no picture"],
    [{ state: "starting" }, "LEFT starting"],
    [{ state: "stopping" }, "LEFT stopping"],
    [{ state: "idle" }, "LEFT ready, starts with the recording"],
  ] as const)("each camera says what it does (%o)", (more, text) => {
    shown({ cameras: [camera(0, "LEFT", more), RIGHT] });
    const list = within(screen.getByRole("list", { name: "Cameras" }));
    expect(list.getAllByRole("listitem").map((item) => item.textContent)).toEqual([
      text,
      "RIGHT ready",
    ]);
  });

  test("without any camera it says how to get one", () => {
    shown({ cameras: [] });
    expect(word()).toBe("Not ready: no camera is set up");
    expect(state().getByText(/Add cameras in the settings file/)).toBeDefined();
  });

  test("a start that fails stays on the page in plain words, and can be tried again", async () => {
    fake.reports.push({
      success: false,
      message: "Failed to start all required cameras",
      cameras_failed: [1],
      errors: { camera_1: "gst-resource-error-quark (7)" },
    });
    shown({ cameras: [LEFT, LOST] });
    fireEvent.click(button("Start recording"));
    const alert = await screen.findByRole("alert");
    expect(within(alert).getByText(/RIGHT is offline/)).toBeDefined();
    expect(within(alert).getByText("Nothing is being recorded.")).toBeDefined();
    const details = alert.querySelector("details") as HTMLDetailsElement;
    expect(details.open).toBe(false);
    expect(details.textContent).toContain("gst-resource-error-quark");
    expect(document.querySelector(".toast")).toBeNull();
    expect(fake.commands[0]?.[1]).toMatchObject({ require_all_cameras: null });
    fireEvent.click(button("Try again"));
    await waitFor(() => expect(fake.commands).toHaveLength(2));
    expect(screen.queryByRole("alert")).toBeNull();
  });

  test("a start that is refused for its disk says what the server wants done", async () => {
    fake.reports.push({ success: false, message: "The disk is full: delete matches." });
    shown();
    fireEvent.click(button("Start recording"));
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("The recording did not start");
    expect(alert.textContent).toContain("The disk is full: delete matches.");
  });

  test("what is filled in names the match, outlives a reload, and is stored with it", async () => {
    shown();
    fireEvent.change(screen.getByLabelText("Home team"), { target: { value: "SV Süd" } });
    fireEvent.change(screen.getByLabelText("Away team"), { target: { value: "FC Nord" } });
    fireEvent.change(screen.getByLabelText("Venue"), { target: { value: "Pitch 2" } });
    fireEvent.change(screen.getByLabelText("Date"), { target: { value: "2026-11-29" } });
    fireEvent.click(screen.getByLabelText("Make panorama after the match"));
    cleanup();
    shown();
    expect(screen.getByText("· SV Süd – FC Nord")).toBeDefined();
    fireEvent.click(button("Start recording"));
    await waitFor(() => expect(fake.commands).toHaveLength(1));
    expect(fake.commands[0]?.[1]).toMatchObject({
      match_id: "2026-11-29 SV Süd - FC Nord",
      process_after_recording: true,
      details: { home: "SV Süd", away: "FC Nord", venue: "Pitch 2", date: "2026-11-29" },
    });
    await waitFor(() => expect(screen.queryByText("· SV Süd – FC Nord")).toBeNull());
    expect(screen.getByLabelText<HTMLInputElement>("Make panorama after the match").checked).toBe(
      true,
    );
  });

  test("teams of earlier matches are suggested, and filled in with one tap", async () => {
    shown();
    await waitFor(() => expect(document.querySelector("datalist option")).not.toBeNull());
    const [first] = document.querySelectorAll("datalist");
    expect([...(first?.querySelectorAll("option") ?? [])].map(({ value }) => value)).toEqual([
      "Owls",
      "Bears",
    ]);
    fireEvent.click(screen.getByText("Same teams as Owls – Bears"));
    expect(screen.getByLabelText<HTMLInputElement>("Home team").value).toBe("Owls");
  });

  test("a list leads to the first match, and is gone once there is one", async () => {
    fake.matches = {};
    shown({ cameras: [LEFT, LOST] });
    expect(await screen.findByText("Before the first match")).toBeDefined();
    expect(screen.getByText("RIGHT is offline")).toBeDefined();
    expect(screen.getByRole("link", { name: "Calibrate" }).getAttribute("href")).toBe("/panorama");
    fireEvent.click(button("Start a test"));
    await waitFor(() => expect(fake.commands).toHaveLength(1));
    expect(fake.commands[0]?.[1]).toMatchObject({ details: { competition: "Test" } });
    cleanup();
    fake.matches = { m0: { files: [] } };
    shown();
    await waitFor(() => expect(fake.asked).toContain("GET /api/v1/recordings"));
    expect(screen.queryByText("Before the first match")).toBeNull();
  });
});

describe("while a match is recorded", () => {
  test.each(Object.keys(en.matchday.problems.kinds) as Schema["RecordingProblem"]["kind"][])(
    "the problem %s is told in plain words with what to do",
    (kind) => {
      const told = { kind, camera: "camera_0", message: "worker pipeline segment index" };
      shown({ recording: active(), health: unwell(told) });
      const { what, todo } = en.matchday.problems.kinds[kind];
      expect(problems().getByText((text) => text.startsWith(what("LEFT")))).toBeDefined();
      expect(problems().getByText(todo)).toBeDefined();
      const details = problems().getByText("worker pipeline segment index").closest("details");
      expect(details?.open).toBe(false);
      const plain = `${what("LEFT")} ${todo}`;
      expect(plain).not.toMatch(/worker|pipeline|container|segment|gst/i);
    },
  );

  test("a camera that is lost has a line, the others go on", () => {
    shown({
      recording: active({
        degraded_cameras: { camera_0: "no picture for 4 s" },
        losses: [loss({ ended: false, seconds: 4 })],
      }),
    });
    expect(word()).toBe("Recording – one camera has a problem");
    expect(state().getByText("Lost: 4 s (1 gap)")).toBeDefined();
    expect(problems().getByText(/^LEFT has stopped since 0:05\./)).toBeDefined();
    expect(problems().getByText(/Reconnecting automatically.*The other camera keeps/)).toBeDefined();
    expect(problems().queryByRole("button", { name: /Dismiss/ })).toBeNull();
  });

  test("a camera that is given up says so", () => {
    const recovery = {
      attempts: 9,
      recovering: false,
      failed_permanently: true,
      last_error: null,
      last_recovery_ts: null,
    };
    shown({
      recording: active({
        degraded_cameras: { camera_0: "gone" },
        camera_recovery: { camera_0: recovery },
        losses: [loss({ ended: false })],
      }),
    });
    expect(problems().getByText(/Repair the camera, then stop the recording/)).toBeDefined();
  });

  test("a loss that is over stays until it is dismissed, also over a reload", () => {
    const recording = active({ losses: [loss(), loss({ from_s: 30, seconds: 2 })] });
    shown({ recording });
    expect(word()).toBe("Recording");
    expect(state().getByText("Lost: 2.4 s (2 gaps)")).toBeDefined();
    fireEvent.click(button(/^Dismiss: LEFT stopped for 0\.4 s at 0:05/));
    cleanup();
    shown({ recording });
    expect(problems().queryByText(/at 0:05/)).toBeNull();
    expect(problems().getByText(/^LEFT stopped for 2 s at 0:30 and is back\./)).toBeDefined();
    expect(state().getByText("Lost: 2.4 s (2 gaps)")).toBeDefined();
  });

  test("many losses do not bury the page", () => {
    const losses = Array.from({ length: 9 }, (_, n) => loss({ from_s: 10 * n }));
    shown({ recording: active({ losses }) });
    expect(problems().getByText("6 earlier losses").closest("details")?.open).toBe(false);
    fireEvent.click(button("Dismiss all"));
    expect(problems().queryByText(/is back/)).toBeNull();
  });

  test("an overloaded computer, heat and little space are told with what to do", () => {
    const overload_guard = {
      active: true,
      unhealthy_streak: 3,
      cpu_percent: 99,
      reasons: ["cpu 99 %"],
    };
    shown({
      recording: active({ overload_guard }),
      temperature: { max_c: 88, critical: true },
      minutesLeft: 1.5,
    });
    for (const text of [
      "This computer can hardly keep up",
      "This computer is hot: 88 °C",
      "The disk has room for only 1 more minute",
    ]) {
      expect(problems().getByText(text)).toBeDefined();
    }
    expect(problems().getAllByText(/Close live|Take it out|Delete matches/)).toHaveLength(3);
  });

  test("the details of the match are shown as people gave them", async () => {
    fake.matches = { m7: { details: { home: "Owls", away: "Bears", venue: "Pitch 2" }, files: [] } };
    shown({ recording: active({ match_id: "m7" }) });
    expect(await screen.findByText("Owls – Bears")).toBeDefined();
    expect(screen.getByText(/Pitch 2/)).toBeDefined();
  });

  test("frames are lost from matches, and from nothing else", () => {
    const counted = camera(0, "LEFT", { dropped: { source: 1_289 } });
    const value = () => screen.getByText("Frames lost").nextElementSibling?.textContent;
    shown({ cameras: [counted] });
    expect(value()).toBe("–");
    cleanup();
    const filmed = { state: "running" as const, uptime: 1, dropped: { source: 3 }, gaps: 0 };
    shown({ cameras: [counted], recording: active({ cameras: { camera_0: filmed } }) });
    expect(value()).toBe("3 (source)");
  });

  test("a stop that is refused leaves the recording and says so in place", async () => {
    fake.reports.push({ success: false, message: "Error stopping" });
    shown({ recording: active() });
    fireEvent.click(button("Stop recording"));
    const dialog = within(await screen.findByRole("alertdialog"));
    expect(dialog.getByText("Stop recording Lions – Tigers?")).toBeDefined();
    fireEvent.click(dialog.getByRole("button", { name: "Stop recording" }));
    const alert = await screen.findByRole("alert");
    expect(alert.textContent).toContain("The recording was not stopped");
    expect(alert.textContent).toContain("It is still running. Try again.");
  });

  test("a stop in the first seconds is asked for once more", async () => {
    fake.reports.push({ success: false, message: "protected", protected: true });
    fake.reports.push({ success: true, message: "stopped", match_id: "m1" });
    shown({ recording: active({ duration: 8, protected: true }) });
    fireEvent.click(button("Stop recording"));
    const asked = within(await screen.findByRole("alertdialog"));
    fireEvent.click(asked.getByRole("button", { name: "Stop recording" }));
    expect(await screen.findByText("You started 8 s ago. Stop anyway?")).toBeDefined();
    fireEvent.click(button("Stop anyway"));
    await waitFor(() => expect(fake.commands.at(-1)?.[1]).toEqual({ force: true }));
  });

  test("without a connection it says that what is shown may be old", async () => {
    fake.connection = "lost";
    shown({ recording: active() });
    expect(await screen.findByText(/This may be out of date/, {}, { timeout: 2_000 })).toBeDefined();
  });
});

describe("after a match", () => {
  const verdict = () => within(screen.getByRole("region", { name: "Last recording" }));

  test("the verdict leads on: watch, highlights, second half", () => {
    shown({ last_stop: lastStop({ gaps: [loss()] }) });
    expect(verdict().getByText("Match saved. 1 short gap (0.4 s, LEFT)")).toBeDefined();
    expect(verdict().getByText("LEFT: 0.4 s missing at 0:05")).toBeDefined();
    const path = "/matches/2026-11-27%20Lions%20-%20Tigers";
    const link = (name: string) => verdict().getByRole("link", { name }).getAttribute("href");
    expect(link("Watch")).toBe(path);
    expect(link("Make highlights")).toBe(`${path}?make=highlights`);
  });

  test("its second half is recorded into the same match", async () => {
    shown({ last_stop: lastStop() });
    fireEvent.click(button("Record second half"));
    expect(screen.getByText("· Next part of Lions – Tigers")).toBeDefined();
    expect(document.activeElement?.textContent).toContain("Start recording");
    fireEvent.click(button("Start recording"));
    await waitFor(() => expect(fake.commands).toHaveLength(1));
    expect(fake.commands[0]?.[1].match_id).toBe("2026-11-27 Lions - Tigers");
    expect(fake.commands[0]?.[1].details).toBeUndefined();
  });

  test("dismissing it tells the server, for every device", async () => {
    shown({ last_stop: lastStop() });
    fireEvent.click(button("Dismiss"));
    await waitFor(() => expect(fake.asked).toContain("DELETE /api/v1/recording/last-stop"));
  });

  test.each([
    [true, "All files are intact. Recorded: 43 min.", /Check the camera before/],
    [false, "Everything else is kept. Recorded: 43 min.", /choose “Verify”/],
    [null, "What was recorded until then is kept: 43 min.", /start again/],
  ])("a failed stop says what is kept and what to do (%s)", (files_ok, kept, todo) => {
    shown({ last_stop: lastStop({ success: false, files_ok, message: "EOS timed out" }) });
    const alert = within(screen.getByRole("alert"));
    expect(alert.getByText(kept)).toBeDefined();
    expect(alert.getByText(todo)).toBeDefined();
    expect(alert.getByText("EOS timed out").closest("details")?.open).toBe(false);
    expect(button("Record the rest")).toBeDefined();
  });

  test("it is not shown while the next match is recorded", () => {
    shown({ recording: active(), last_stop: lastStop() });
    expect(screen.queryByRole("region", { name: "Last recording" })).toBeNull();
  });
});

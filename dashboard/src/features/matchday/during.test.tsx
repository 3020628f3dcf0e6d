import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import type { Schema } from "../../api/http";
import { active, camera, loss, unwell } from "../../lib/fixtures";
import { loadLanguage } from "../../messages";
import { en } from "../../messages/en";
import { fake } from "./fakes";

vi.mock("../../api/live", async () => (await import("./fakes")).fakeLive);
vi.mock("../../video/LiveVideo", () => ({ LiveVideo: () => null }));

import { button, leave, problems, shown, state, word } from "./testing";

afterEach(() => loadLanguage("en"));

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
  expect(problems().getByText(/^LEFT has been down since 0:05\./)).toBeDefined();
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
  leave();
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
  fake.matches = {
    m7: { details: { home: "Owls", away: "Bears", venue: "Pitch 2" }, files: [] },
  };
  shown({ recording: active({ match_id: "m7" }) });
  expect(await screen.findByText("Owls – Bears")).toBeDefined();
  expect(screen.getByText(/Pitch 2/)).toBeDefined();
});

test("frames are lost from matches, and from nothing else", () => {
  const counted = camera(0, "LEFT", { dropped: { source: 1_289 } });
  const value = () => screen.getByText("Frames lost").nextElementSibling?.textContent;
  shown({ cameras: [counted] });
  expect(value()).toBe("–");
  leave();
  const filmed = { state: "running" as const, uptime: 1, dropped: { source: 3 }, gaps: 0 };
  shown({ cameras: [counted], recording: active({ cameras: { camera_0: filmed } }) });
  expect(value()).toBe("3 (on the way from the camera)");
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

test("a stop that is refused with a code is told in the catalogue's words, in each language", async () => {
  const refused = { success: false, message: "Not currently recording", code: "not_recording" };
  fake.reports.push(refused, refused);
  await loadLanguage("de");
  shown({ recording: active() });
  fireEvent.click(button("Aufnahme stoppen"));
  const dialog = within(await screen.findByRole("alertdialog"));
  fireEvent.click(dialog.getByRole("button", { name: "Aufnahme stoppen" }));
  const alert = await screen.findByRole("alert");
  expect(within(alert).getByText("Es wird nichts (mehr) aufgenommen.")).toBeDefined();
  const details = within(alert).getByText("Not currently recording").closest("details");
  expect(details?.open).toBe(false);
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
  expect(await screen.findByText(/This may be out of date/)).toBeDefined();
});

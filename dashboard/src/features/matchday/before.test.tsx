import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { camera, LEFT, LOST, RIGHT } from "../../lib/fixtures";
import { loadLanguage } from "../../messages";
import { fake } from "./fakes";

vi.mock("../../api/live", async () => (await import("./fakes")).fakeLive);
vi.mock("../../video/LiveVideo", () => ({ LiveVideo: () => null }));

import { button, leave, shown, state, word } from "./testing";

afterEach(() => loadLanguage("en"));

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
  expect(document.querySelector("[data-toast]")).toBeNull();
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

test("a start that is refused with a code is told in the catalogue's words, in each language", async () => {
  const message = "Already recording match: m1";
  fake.reports.push({ success: false, message, code: "already_recording" });
  await loadLanguage("de");
  shown();
  fireEvent.click(button("Aufnahme starten"));
  const alert = await screen.findByRole("alert");
  expect(within(alert).getByText(/^Es wird schon ein anderes Spiel aufgenommen\. /)).toBeDefined();
  expect(within(alert).getByText(message).closest("details")?.open).toBe(false);
});

test("details that were not saved are told, though the match is recorded", async () => {
  fake.reports.push({ success: true, message: "Recording", details_saved: false, warnings: ["x"] });
  shown();
  fireEvent.click(button("Start recording"));
  expect(await screen.findByText(/its details could not be saved\.$/)).toBeDefined();
});

test("what is filled in names the match, outlives a reload, and is stored with it", async () => {
  shown();
  fireEvent.change(screen.getByLabelText("Home team"), { target: { value: "SV Süd" } });
  fireEvent.change(screen.getByLabelText("Away team"), { target: { value: "FC Nord" } });
  fireEvent.change(screen.getByLabelText("Venue"), { target: { value: "Pitch 2" } });
  fireEvent.change(screen.getByLabelText("Date"), { target: { value: "2026-11-29" } });
  fireEvent.click(screen.getByLabelText("Make panorama after the match"));
  leave();
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

test("a list leads to the first match, and is gone once there is one and nothing is to do", async () => {
  fake.matches = {};
  shown({ cameras: [LEFT, LOST] });
  expect(await screen.findByText("Before the first match")).toBeDefined();
  expect(screen.getByText("RIGHT is offline")).toBeDefined();
  expect(screen.getByRole("link", { name: "Calibrate" }).getAttribute("href")).toBe("/panorama");
  fireEvent.click(button("Start a test"));
  await waitFor(() => expect(fake.commands).toHaveLength(1));
  expect(fake.commands[0]?.[1]).toMatchObject({ details: { competition: "Test" } });
  leave();
  fake.matches = { m0: { files: [] } };
  shown();
  await waitFor(() => expect(fake.asked).toContain("GET /api/v1/recordings"));
  expect(screen.queryByText("Before the first match")).toBeNull();
});

test("with a match the list stays until the cameras are calibrated or it is hidden", async () => {
  fake.matches = { m0: { files: [] } };
  shown({ calibration: { calibrated: false } });
  expect(await screen.findByText("Before the first match")).toBeDefined();
  expect(screen.getAllByText("To do")).toHaveLength(1);
  leave();
  shown({ calibration: { calibrated: false } });
  fireEvent.click(await screen.findByRole("button", { name: "Hide this list" }));
  expect(screen.queryByText("Before the first match")).toBeNull();
  leave();
  shown({ calibration: { calibrated: false } });
  await waitFor(() => expect(fake.asked).toContain("GET /api/v1/recordings"));
  expect(screen.queryByText("Before the first match")).toBeNull();
  leave();
  localStorage.clear();
  shown({ calibration: { calibrated: true } });
  await waitFor(() => expect(fake.asked).toContain("GET /api/v1/recordings"));
  expect(screen.queryByText("Before the first match")).toBeNull();
});

import { fireEvent, screen, waitFor, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { active, lastStop, loss } from "../../lib/fixtures";
import { fake } from "./fakes";

vi.mock("../../api/live", async () => (await import("./fakes")).fakeLive);
vi.mock("../../video/LiveVideo", () => ({ LiveVideo: () => null }));

import { button, shown } from "./testing";

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

import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { type Asked, engine, event, Frame, killed, serve, until } from "../fixtures";

const told: Record<string, unknown> = {};
vi.mock("../../../api/live", () => ({ useChannel: (channel: string) => told[channel] }));

import { EngineSheet } from "../EngineSheet";
import { Activity } from "./Activity";

beforeEach(() => {
  location.hash = "#/engines?tab=activity";
  for (const name of Object.keys(told)) delete told[name];
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const show = (onOpen = vi.fn()) =>
  render(
    <Frame>
      <Activity onOpen={onOpen} />
    </Frame>,
  );
const lines = () => within(screen.getByRole("list", { name: "Activity" })).getAllByRole("listitem");

test("earlier events come out of the log, and new ones before them as they are told", async () => {
  const created = event("engine", "created", "2", { name: "acestream-2" });
  const [failed, replaced] = killed("2", "5");
  serve({ "GET /events": () => [created] });
  const page = show();
  expect((await screen.findAllByRole("listitem")).length).toBe(1);
  told.events = [replaced, failed];
  page.rerender(
    <Frame>
      <Activity onOpen={vi.fn()} />
    </Frame>,
  );
  await screen.findByText(/stopped unexpectedly/);
  expect(lines()[0]?.textContent).toContain("exit 137");
});

test("the engine's name opens what happened to it", async () => {
  serve({ "GET /events": () => killed("2", "5").reverse() });
  const open = vi.fn();
  show(open);
  fireEvent.click(await screen.findByRole("button", { name: "acestream-5" }));
  expect(open).toHaveBeenCalledWith("5");
});

test("the engine and the kind that are shown stand in the address", async () => {
  const asked: Asked[] = serve({ "GET /events": () => killed("2", "5").reverse() });
  told.engines = [engine("2"), engine("7")];
  show();
  await screen.findAllByRole("listitem");
  fireEvent.change(screen.getByLabelText("Engine"), { target: { value: "7" } });
  await screen.findByText("No activity of this kind yet.");
  expect(location.hash).toBe("#/engines?tab=activity&engine=7");
  expect(asked.some(({ query }) => query.get("container_id") === "7")).toBe(true);
  fireEvent.change(screen.getByLabelText("Show"), { target: { value: "vpn" } });
  expect(location.hash).toContain("kind=vpn");
});

test("where nothing has happened it is said what comes here", async () => {
  serve({ "GET /events": () => [] });
  show();
  expect(await screen.findByText("Nothing has happened yet")).toBeDefined();
});

test("earlier ones are asked for as long as there may be some", async () => {
  const asked = serve({
    "GET /events": ({ query }) =>
      Array.from({ length: Math.min(Number(query.get("limit")), 250) }, () =>
        event("engine", "created", "2", { name: "acestream-2" }),
      ).reverse(),
  });
  show();
  fireEvent.click(await screen.findByRole("button", { name: "Show earlier" }));
  await until(() => expect(lines().length).toBe(250));
  expect(asked.map(({ query }) => query.get("limit"))).toEqual(["200", "400"]);
  expect(screen.queryByRole("button", { name: "Show earlier" })).toBeNull();
});

test("a failure to read the log is told, and what the socket tells is there", async () => {
  serve({ "GET /events": () => Response.json({ detail: "disk is gone" }, { status: 500 }) });
  told.events = killed("2", "5").reverse();
  show();
  expect(await screen.findByRole("alert")).toBeDefined();
  expect(lines().length).toBe(1);
});

test("the sheet of an engine that is gone has its name and what became of it", async () => {
  const [failed, replaced] = killed("2", "5");
  serve({
    "GET /events": ({ query }) => (query.get("container_id") ? [replaced, failed] : [replaced]),
  });
  told.engines = [engine("5")];
  render(
    <Frame>
      <EngineSheet id="2" usage={undefined} onClose={vi.fn()} />
    </Frame>,
  );
  const sheet = within(await screen.findByRole("dialog", { name: "acestream-2" }));
  expect(sheet.getByText("This engine no longer runs.")).toBeDefined();
  expect(sheet.getByText(/replaced by acestream-5 in 0.4 s/)).toBeDefined();
});

test("the sheet of a replacement says which engine's place it took", async () => {
  const [, replaced] = killed("2", "5");
  serve({ "GET /events": ({ query }) => (query.get("container_id") ? [] : [replaced]) });
  told.engines = [engine("5")];
  render(
    <Frame>
      <EngineSheet id="5" usage={undefined} onClose={vi.fn()} />
    </Frame>,
  );
  expect(await screen.findByText("acestream-2 was replaced by acestream-5 in 0.4 s")).toBeDefined();
});

import { cleanup, fireEvent, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FakeServer, matchEntry, PATIENT, showAt, stubBrowser } from "./harness";
import Matches from "./Matches";

// A browser resolves paths against the page; Node's Request does not.
vi.hoisted(() => {
  const Real = globalThis.Request;
  globalThis.Request = class extends Real {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === "string" ? new URL(input, window.location.origin) : input, init);
    }
  };
});
const told: Record<string, unknown> = {};
vi.mock("../../api/live", () => ({ useChannel: (channel: string) => told[channel] }));
vi.setConfig({ testTimeout: 60_000 });

const DERBY = "2026-11-27 SV Süd - FC Nord - Cup";
const RECORDINGS = {
  [DERBY]: matchEntry({ gaps: 1 }),
  match_1: matchEntry({
    started_at: 1_796_000_000,
    protected: true,
    details: {
      home: "Owls",
      away: "Lions",
      competition: "League",
      venue: "Pitch 2",
      date: "2026-11-29",
      note: null,
    },
  }),
};
const TRASHED = {
  id: "0123",
  match_id: "2026-11-20 Bears - Tigers",
  deleted_at: 1,
  expires_at: 2,
  days_left: 5,
  size_bytes: 3 << 20,
  started_at: 1_794_000_000,
  duration_s: 60,
  details: null,
};
const NO_TRASH = { days: 7, size_bytes: 0, matches: [] };

const serve = (more: Record<string, unknown> = {}) =>
  new FakeServer({
    "GET /api/v1/recordings": { recordings: RECORDINGS },
    "GET /api/v1/trash": NO_TRASH,
    ...more,
  });

beforeEach(() => {
  stubBrowser();
  localStorage.clear();
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const cardOf = async (name: string) => {
  const link = await screen.findByRole("link", { name }, PATIENT);
  return link.closest("article") as HTMLElement;
};

test("each match is a card with its poster, teams, date, length and badges", async () => {
  serve();
  showAt("/matches", <Matches />);
  const card = await cardOf("SV Süd – FC Nord");
  const poster = card.querySelector("img") as HTMLImageElement;
  expect(poster.getAttribute("src")).toBe(
    `/api/v1/matches/${encodeURIComponent(DERBY)}/poster.jpg`,
  );
  expect(poster.getAttribute("loading")).toBe("lazy");
  expect([poster.width, poster.height]).toEqual([640, 360]);
  expect(card.textContent).toContain("Nov 27, 2026");
  expect(card.textContent).toContain("Cup");
  expect(card.textContent).toContain("1 h 30 min");
  expect(within(card).getByText("1 gap")).toBeDefined();
  const named = await cardOf("Owls – Lions");
  expect(named.textContent).toContain("League");
  expect(within(named).getByText("Protected")).toBeDefined();
});

test("a placeholder stands where there is no poster", async () => {
  serve();
  showAt("/matches", <Matches />);
  const card = await cardOf("Owls – Lions");
  fireEvent.error(card.querySelector("img") as HTMLImageElement);
  expect(card.querySelector("svg")).not.toBeNull();
  expect(card.querySelector("img")).toBeNull();
});

test("the table that was chosen stays chosen on this device, and its heads sort", async () => {
  serve();
  const shown = showAt("/matches", <Matches />);
  fireEvent.click(await screen.findByRole("radio", { name: "Table" }, PATIENT));
  shown.unmount();
  showAt("/matches", <Matches />);
  const table = await screen.findByRole("table", undefined, PATIENT);
  const titles = () =>
    within(table)
      .getAllByRole("link")
      .map((link) => link.textContent);
  expect(titles()).toEqual(["Owls – Lions", "SV Süd – FC Nord"]);
  fireEvent.click(within(table).getByRole("button", { name: "Date" }));
  expect(titles()).toEqual(["SV Süd – FC Nord", "Owls – Lions"]);
  expect(location.hash).toBe("#/matches?sort=date");
});

test("on a narrow screen there are cards, and no choice", async () => {
  stubBrowser({ narrow: true });
  localStorage.setItem("touchline-matches-layout", "table");
  serve();
  showAt("/matches", <Matches />);
  await cardOf("Owls – Lions");
  expect(screen.queryByRole("table")).toBeNull();
  expect(screen.queryByRole("radio", { name: "Table" })).toBeNull();
});

test("search and filter are those of the address, and change it", async () => {
  serve();
  showAt("/matches?search=pitch+2&filter=protected", <Matches />);
  await cardOf("Owls – Lions");
  expect(screen.queryByRole("link", { name: "SV Süd – FC Nord" })).toBeNull();
  const search = screen.getByRole("searchbox", { name: "Search" }) as HTMLInputElement;
  expect(search.value).toBe("pitch 2");
  fireEvent.change(search, { target: { value: "nobody" } });
  expect(location.hash).toBe("#/matches?search=nobody&filter=protected");
  expect(screen.getByText("No matches found.")).toBeDefined();
  fireEvent.click(screen.getByRole("button", { name: "Show all matches" }));
  await cardOf("SV Süd – FC Nord");
  expect(location.hash).toBe("#/matches");
});

test("without matches the page says where they come from", async () => {
  serve({ "GET /api/v1/recordings": { recordings: {} } });
  showAt("/matches", <Matches />);
  expect(await screen.findByText("No matches yet", undefined, PATIENT)).toBeDefined();
  expect(screen.getByRole("link", { name: "Go to Match day" }).getAttribute("href")).toBe("#/");
});

test("the trash lists what can be restored, and for how long", async () => {
  const server = serve({
    "GET /api/v1/trash": { days: 7, size_bytes: TRASHED.size_bytes, matches: [TRASHED] },
    "POST /api/v1/trash/0123/restore": {
      status: "restored",
      id: "0123",
      match_id: TRASHED.match_id,
    },
  });
  showAt("/matches?view=trash", <Matches />);
  expect(await screen.findByText("5 days left", undefined, PATIENT)).toBeDefined();
  expect(screen.getByRole("tab", { name: "Trash (1)" }).getAttribute("aria-selected")).toBe("true");
  fireEvent.click(screen.getByRole("button", { name: "Restore: Bears – Tigers" }));
  expect(await screen.findByText("Bears – Tigers is back", undefined, PATIENT)).toBeDefined();
  expect(server.sent("POST /api/v1/trash/0123/restore")).toHaveLength(1);
});

test("a match is deleted from the trash for good only after a question", async () => {
  const gone = { status: "deleted", matches: [], files_deleted: 2, size_mb_freed: 3 };
  const server = serve({
    "GET /api/v1/trash": { days: 7, size_bytes: TRASHED.size_bytes, matches: [TRASHED] },
    "DELETE /api/v1/trash/0123": gone,
  });
  showAt("/matches?view=trash", <Matches />);
  const name = "Delete for good: Bears – Tigers";
  fireEvent.click(await screen.findByRole("button", { name }, PATIENT));
  const question = await screen.findByRole("alertdialog", undefined, PATIENT);
  expect(question.textContent).toContain("Delete Bears – Tigers for good?");
  expect(server.sent("DELETE /api/v1/trash/0123")).toHaveLength(0);
  fireEvent.click(within(question).getByRole("button", { name: "Delete for good" }));
  expect(await screen.findByText("Deleted. 3.0 MiB freed", undefined, PATIENT)).toBeDefined();
  expect(server.sent("DELETE /api/v1/trash/0123")).toHaveLength(1);
});

test("an empty trash says how long matches stay", async () => {
  serve();
  showAt("/matches?view=trash", <Matches />);
  expect(await screen.findByText("The trash is empty.", undefined, PATIENT)).toBeDefined();
  expect(screen.getByText(/stay here for 7 days/)).toBeDefined();
});

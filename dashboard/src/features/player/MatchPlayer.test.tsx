import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { act, cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { MatchEntry } from "../../api/capture";
import type { Schema } from "../../api/http";
import { FeedbackProvider } from "../../ui/feedback";

// A browser resolves paths against the page; Node's Request does not.
vi.hoisted(() => {
  const Real = globalThis.Request;
  globalThis.Request = class extends Real {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === "string" ? new URL(input, window.location.origin) : input, init);
    }
  };
});
const told = vi.hoisted(() => ({ channels: {} as Record<string, unknown> }));
vi.mock("../../api/live", () => ({
  useChannel: (name: string) => told.channels[name],
  useConnection: () => "open",
}));
vi.mock("../../video/hls", () => ({ playHls: () => () => undefined }));

import { MatchPlayer } from "./MatchPlayer";

vi.setConfig({ testTimeout: 60_000 });
const patient = { timeout: 20_000 };

const ID = "2026-11-29 Pokal";
const TITLE = "SV Süd – FC Nord";
const MP4 = { "content-type": "video/mp4", "content-length": "4" };
const GOAL: Schema["MarkerState"] = {
  marker_id: "a1",
  kind: "goal",
  text: "header",
  team: "",
  at: 3,
  at_unix_ms: 0,
  created_unix_ms: 0,
};
const camera = (file: string) => ({ file, type: "segmented" as const, size_mb: 1, created_at: 1 });
const ENTRY: MatchEntry = {
  files: [camera("cam0"), camera("cam1")],
  total_size_mb: 2,
  camera_count: 2,
  segments_count: 2,
  created_at: 1,
  duration_s: 40,
};

const asked: { method: string; url: URL; body: unknown }[] = [];
const saved: { href: string; download: string }[] = [];
let markers: Schema["MarkerState"][];
let clip: () => Response;

async function answer(input: Request | string) {
  const request = typeof input === "string" ? new Request(input) : input;
  const url = new URL(request.url);
  const { method } = request;
  asked.push({
    method,
    url,
    body: method === "GET" ? null : await request.json().catch(() => null),
  });
  if (url.pathname.endsWith("/clip")) return clip();
  if (url.pathname.endsWith("/markers") && method === "GET") return Response.json({ markers });
  if (url.pathname.endsWith("/markers")) return Response.json({ ...GOAL, kind: "other", at: 0 });
  if (url.pathname.endsWith("/process")) return Response.json({ jobs: [] });
  return Response.json({ made: {} });
}

beforeEach(() => {
  sessionStorage.clear();
  location.hash = `#/matches/${encodeURIComponent(ID)}`;
  asked.length = 0;
  saved.length = 0;
  markers = [GOAL];
  clip = () => new Response("clip", { headers: MP4 });
  told.channels = {
    cameras: {
      cameras: [
        { id: 0, name: "LEFT" },
        { id: 1, name: "RIGHT" },
      ],
    },
  };
  vi.stubGlobal("fetch", answer);
  onScreen("nothing");
  URL.createObjectURL = () => "blob:clip";
  URL.revokeObjectURL = () => undefined;
  HTMLMediaElement.prototype.play = async () => undefined;
  HTMLMediaElement.prototype.pause = () => undefined;
  vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (
    this: HTMLAnchorElement,
  ) {
    saved.push({ href: this.href, download: this.download });
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
  for (const name of ["canShare", "share"]) Reflect.deleteProperty(navigator, name);
});

/** Lets media queries that have this in them hold. */
function onScreen(holds: string) {
  vi.stubGlobal("matchMedia", (query: string) => ({
    matches: query.includes(holds),
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
}

function sharing(share: (data: ShareData) => Promise<void>) {
  const canShare = ({ files }: ShareData) => files?.[0]?.type === "video/mp4";
  Object.assign(navigator, { canShare, share });
}

async function show(entry: MatchEntry = ENTRY, running = false) {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <FeedbackProvider>
        <MatchPlayer matchId={ID} title={TITLE} entry={entry} running={running} />
      </FeedbackProvider>
    </QueryClientProvider>,
  );
  if (markers.length) await screen.findByText("header", {}, patient);
}

const button = (name: string | RegExp) => screen.getByRole("button", { name });
const pictures = () =>
  [...document.querySelectorAll("video")].map((video) => video.getAttribute("aria-label"));
const process = () => asked.find(({ url }) => url.pathname.endsWith("/process"));

test("a desk shows both cameras by their names, a phone one; the address keeps the choice", async () => {
  await show();
  expect(pictures()).toEqual(["LEFT", "RIGHT"]);
  fireEvent.click(screen.getByRole("radio", { name: "RIGHT" }));
  expect(pictures()).toEqual(["RIGHT"]);
  expect(location.hash).toContain("view=RIGHT");
  cleanup();
  await show();
  expect(pictures()).toEqual(["RIGHT"]);
  cleanup();
  location.hash = "#/matches/a";
  onScreen("max-width");
  await show();
  expect(pictures()).toEqual(["LEFT"]);
  expect(screen.getAllByRole("radio").map((each) => each.parentElement?.textContent)).toEqual([
    "LEFT",
    "RIGHT",
    "Both",
  ]);
});

test("one tap on a marker cuts its clip and saves it under a speaking name", async () => {
  await show();
  fireEvent.click(button("Save clip: Goal at 0:03"));
  await screen.findByText("Saved: SV Süd – FC Nord 0-03.mp4", {}, patient);
  expect(saved).toEqual([{ href: "blob:clip", download: "SV Süd – FC Nord 0-03.mp4" }]);
  const cut = asked.find(({ url }) => url.pathname.endsWith("/clip"));
  expect(Object.fromEntries(cut?.url.searchParams ?? [])).toEqual({
    camera: "cam0",
    start: "0.000",
    end: "7.000",
  });
  expect(screen.queryByRole("button", { name: /^Share clip/ })).toBeNull();
  expect(button("Copy link to Goal at 0:03")).toBeDefined();
});

test("where the device shares files the clip itself is shared", async () => {
  const shared: ShareData[] = [];
  sharing(async (data) => void shared.push(data));
  await show();
  expect(button("Copy link to Goal at 0:03")).toBeDefined();
  fireEvent.click(button("Share clip: Goal at 0:03"));
  await vi.waitFor(() => expect(shared).toHaveLength(1), patient);
  expect(shared[0]?.files?.map(({ name, type }) => [name, type])).toEqual([
    ["SV Süd – FC Nord 0-03.mp4", "video/mp4"],
  ]);
  expect(saved).toEqual([]);
  fireEvent.click(button("Save clip: Goal at 0:03"));
  await vi.waitFor(() => expect(saved).toHaveLength(1), patient);
});

test("a clip that took longer to cut than a tap allows is shared with another tap", async () => {
  const share = vi.fn(async () => {
    if (share.mock.calls.length === 1) throw new DOMException("late", "NotAllowedError");
  });
  sharing(share);
  await show();
  fireEvent.click(button("Share clip: Goal at 0:03"));
  fireEvent.click(await screen.findByRole("button", { name: "Share now" }, patient));
  await vi.waitFor(() => expect(share).toHaveBeenCalledTimes(2), patient);
  await vi.waitFor(() => expect(screen.queryByText("The clip is ready.")).toBeNull(), patient);
  const clips = asked.filter(({ url }) => url.pathname.endsWith("/clip"));
  expect(clips).toHaveLength(1);
});

test("what keeps a clip from being cut stands beside it", async () => {
  clip = () => Response.json({ detail: "cam0 has no footage at that time" }, { status: 404 });
  await show();
  fireEvent.click(button("Save clip: Goal at 0:03"));
  const marker = screen.getByText("header").closest("li") as HTMLElement;
  const alert = await within(marker).findByRole("alert", {}, patient);
  expect(alert.textContent).toContain("no footage at that time");
  expect(saved).toEqual([]);
});

test("a clip needs its start and its end, and says how long it is", async () => {
  await show();
  expect(button("Save clip")).toHaveProperty("disabled", true);
  const line = screen.getByRole("slider", { name: "Time of the match" });
  fireEvent.keyDown(window, { key: "i" });
  fireEvent.keyDown(line, { key: "End" });
  expect(line.getAttribute("aria-valuetext")).toBe("0:40 of 0:40");
  fireEvent.keyDown(window, { key: "o" });
  expect(screen.getByText("Length 0:40.0")).toBeDefined();
  expect(button("Save clip")).toHaveProperty("disabled", false);
  fireEvent.keyDown(line, { key: "Home" });
  fireEvent.click(button(/^Set end/));
  expect(screen.getByText("The end is before the start.")).toBeDefined();
  expect(button("Save clip")).toHaveProperty("disabled", true);
});

test("the key M marks the moment, and it is read out", async () => {
  await show();
  fireEvent.keyDown(window, { key: "l" });
  fireEvent.keyDown(window, { key: "m" });
  await screen.findByText("Moment marked at 0:00", {}, patient);
  const made = asked.find(({ method }) => method === "POST");
  expect(made?.body).toMatchObject({ kind: "other", at: 10 });
});

test("a marker is renamed in its place, and removed after a question there", async () => {
  await show();
  fireEvent.click(button("Edit Goal at 0:03"));
  const form = screen.getByRole("form", { name: "Edit Goal at 0:03" });
  fireEvent.change(within(form).getByLabelText("Note"), { target: { value: "free kick" } });
  fireEvent.submit(form);
  await vi.waitFor(() => expect(button("Edit Goal at 0:03")).toBe(document.activeElement), patient);
  const changed = asked.find(({ method }) => method === "PATCH");
  expect(changed?.body).toEqual({ kind: "goal", text: "free kick" });

  fireEvent.click(button("Remove Goal at 0:03"));
  fireEvent.click(button("Keep"));
  expect(asked.some(({ method }) => method === "DELETE")).toBe(false);
  fireEvent.click(button("Remove Goal at 0:03"));
  markers = [];
  fireEvent.click(button("Remove"));
  await screen.findByText(/^No markers yet/, {}, patient);
  expect(asked.some(({ method }) => method === "DELETE")).toBe(true);
});

test("highlights are made of all markers, and are there to be saved when they are done", async () => {
  await show();
  fireEvent.click(button("Make highlights (1)"));
  await vi.waitFor(() => expect(process()).toBeDefined(), patient);
  expect(process()?.body).toEqual({
    steps: ["reel"],
    reel: { camera: "cam0", before_s: 8, after_s: 4, kinds: [] },
  });
  cleanup();
  const reel = { file: "reel.mp4", type: "single" as const, size_mb: 1, created_at: 1 };
  await show({ ...ENTRY, files: [...ENTRY.files, reel] });
  fireEvent.click(button("Save highlights"));
  await vi.waitFor(() => expect(saved).toHaveLength(1), patient);
  expect(saved[0]?.download).toBe("SV Süd – FC Nord, Highlights.mp4");
});

test("highlights wait for the end of a match that is recorded", async () => {
  await show(ENTRY, true);
  expect(button("Make highlights (1)")).toHaveProperty("disabled", true);
  expect(screen.getByText(/^Available after the match/)).toBeDefined();
});

test("highlights that are being made say how far they are, and why they could not be made", async () => {
  const job = { job_id: "j", kind: "reel", match_id: ID, state: "running", progress: 0.5 };
  told.channels.jobs = { jobs: [job] };
  await show();
  expect(button("Make highlights (1)")).toHaveProperty("disabled", true);
  expect(screen.getByRole("progressbar", { name: "Progress of the highlights" })).toBeDefined();
  cleanup();
  const error = { code: "no_footage", message: "cam0 has no footage", advice: "Choose another." };
  told.channels.jobs = { jobs: [{ ...job, state: "failed", error }] };
  await show();
  expect(screen.getByRole("alert").textContent).toContain("Choose another.");
  expect(button("Make highlights (1)")).toHaveProperty("disabled", false);
});

test("on a phone clip and markers lie in a sheet, and the picture plays meanwhile", async () => {
  onScreen("max-width");
  await show();
  expect(screen.queryByRole("button", { name: "Set start" })).toBeNull();
  const opener = button("Clip and markers");
  expect(opener.getAttribute("aria-expanded")).toBe("false");
  fireEvent.click(opener);
  expect(opener.getAttribute("aria-expanded")).toBe("true");
  expect(document.activeElement?.textContent).toBe("Clip and markers");
  expect(button("Set start")).toBeDefined();
  expect(pictures()).toEqual(["LEFT"]);
  fireEvent.click(button("Play"));
  expect(button("Pause")).toBeDefined();
  fireEvent.keyDown(button("Set start"), { key: "Escape" });
  expect(screen.queryByRole("button", { name: "Set start" })).toBeNull();
  expect(document.activeElement).toBe(opener);
});

test("a clip that is being set is there again after a reload", async () => {
  await show();
  fireEvent.click(button("Set start"));
  cleanup();
  await show();
  fireEvent.click(button("Set start (0:00)"));
  fireEvent.click(button("Clear"));
  cleanup();
  await show();
  expect(button("Set start")).toBeDefined();
});

test("a phone in landscape is filled by the player until that is left", async () => {
  onScreen("landscape");
  await show();
  const player = button("Leave full screen").closest("[data-full]");
  expect(player).not.toBeNull();
  fireEvent.click(button("Leave full screen"));
  await act(async () => undefined);
  expect(button("Full screen")).toBeDefined();
  expect(document.querySelector("[data-full]")).toBeNull();
});

test("an iPhone, which has no full screen of a page, has that of its video", async () => {
  await show();
  const enter = vi.fn();
  Object.assign(document.querySelector("video") as HTMLVideoElement, {
    webkitEnterFullscreen: enter,
  });
  fireEvent.keyDown(window, { key: "f" });
  await vi.waitFor(() => expect(enter).toHaveBeenCalledOnce(), patient);
});

test("the list of keys opens with a key", async () => {
  await show();
  fireEvent.keyDown(window, { key: "?" });
  const dialog = await screen.findByRole("dialog", {}, patient);
  expect(within(dialog).getByText("10 seconds back")).toBeDefined();
  expect(within(dialog).getByRole("switch", { name: "Use these keys" })).toBeDefined();
});

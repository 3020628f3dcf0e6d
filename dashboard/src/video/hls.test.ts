import { afterEach, expect, test, vi } from "vitest";
import { words } from "../messages";
import { playHls, stretchesOf } from "./hls";

type Listener = (event: string, data: unknown) => void;

const { FakePlayer, made } = vi.hoisted(() => {
  const made: { listeners: Map<string, Listener>; recoveries: number }[] = [];
  class FakePlayer {
    static Events = { ERROR: "error", LEVEL_UPDATED: "updated", LEVEL_PTS_UPDATED: "pts" };
    static ErrorTypes = { MEDIA_ERROR: "media", NETWORK_ERROR: "network" };
    static supported = true;
    static isSupported = () => FakePlayer.supported;
    listeners = new Map<string, Listener>();
    constructor() {
      made.push(this);
    }
    on = (event: string, listener: Listener) => this.listeners.set(event, listener);
    loadSource = () => undefined;
    attachMedia = () => undefined;
    destroy = () => undefined;
    recoveries = 0;
    recoverMediaError = () => {
      this.recoveries += 1;
    };
  }
  return { FakePlayer, made };
});
vi.mock("hls.js/light", () => ({ default: FakePlayer }));

afterEach(() => {
  made.length = 0;
  FakePlayer.supported = true;
  vi.unstubAllGlobals();
});

const URL = "/api/v1/recordings/final/vod/cam2.m3u8";
const REFUSED = { fatal: true, type: "network", details: "manifestLoadError" };

async function failing(failure: object, ...failures: object[]) {
  const failed = vi.fn();
  const video = document.createElement("video");
  video.load = () => undefined;
  const end = playHls(video, URL, { live: false, failed });
  await vi.waitFor(() => expect(made).toHaveLength(1));
  for (const each of [failure, ...failures]) made[0]?.listeners.get("error")?.("error", each);
  return { failed, end };
}

const answers = (status: number, body: unknown) =>
  vi.fn(async () => new Response(JSON.stringify(body), { status, statusText: "Conflict" }));

test("what the server refuses is an error with the server's words and code", async () => {
  const fetched = answers(409, { code: "footage_unusable", detail: "cam2.mkv is no MP4" });
  vi.stubGlobal("fetch", fetched);
  const text = { url: URL, code: 409, text: "Conflict" };
  const { failed } = await failing({ ...REFUSED, response: text }, REFUSED);
  await vi.waitFor(() => expect(failed).toHaveBeenCalled());
  const error = { message: "cam2.mkv is no MP4", code: "footage_unusable", status: 409 };
  expect(failed.mock.calls[0]?.[0]).toMatchObject(error);
  expect(failed).toHaveBeenCalledOnce();
  expect(fetched).toHaveBeenCalledOnce();
});

test("a player that is closed meanwhile is told nothing more", async () => {
  let answer: (response: Response) => void = () => undefined;
  const waits = new Promise<Response>((resolve) => {
    answer = resolve;
  });
  vi.stubGlobal("fetch", () => waits);
  const { failed, end } = await failing(REFUSED);
  end();
  answer(new Response("{}", { status: 404 }));
  await waits;
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(failed).not.toHaveBeenCalled();
});

test("a server that is away, and one that serves it after all", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("failed")));
  const away = await failing(REFUSED);
  await vi.waitFor(() =>
    expect(away.failed).toHaveBeenCalledWith(new Error(words.player.unreached)),
  );
  made.length = 0;
  vi.stubGlobal("fetch", answers(200, {}));
  const there = await failing(REFUSED);
  await vi.waitFor(() => expect(there.failed).toHaveBeenCalledWith(new Error("manifestLoadError")));
});

const UNDECODED = { fatal: true, type: "media", details: "bufferAppendError" };

test("pictures that the browser cannot decode are given up, and it is said", async () => {
  const { failed } = await failing(UNDECODED, UNDECODED);
  expect(failed).not.toHaveBeenCalled();
  const [player] = made;
  for (let n = 0; n < 3; n++) player?.listeners.get("error")?.("error", UNDECODED);
  expect(failed).toHaveBeenCalledExactlyOnceWith(new Error(words.player.undecodable));
  expect(player?.recoveries).toBe(2);
});

test("a decoder that comes further each time goes on", async () => {
  const failed = vi.fn();
  const video = document.createElement("video");
  playHls(video, URL, { live: false, failed });
  await vi.waitFor(() => expect(made).toHaveLength(1));
  for (let at = 0; at < 50; at += 5) {
    video.currentTime = at;
    made[0]?.listeners.get("error")?.("error", UNDECODED);
  }
  expect(failed).not.toHaveBeenCalled();
  expect(made[0]?.recoveries).toBe(10);
});

test("a phone that plays playlists by itself has a line of time, too", async () => {
  FakePlayer.supported = false;
  const video = document.createElement("video");
  video.load = () => undefined;
  const timed = vi.fn();
  const end = playHls(video, URL, { live: false, failed: () => undefined, timed });
  await vi.waitFor(() => expect(video.getAttribute("src")).toBe(URL));
  Object.defineProperty(video, "duration", { value: Number.NaN, writable: true });
  video.dispatchEvent(new Event("durationchange"));
  expect(timed).not.toHaveBeenCalled();
  Object.assign(video, { duration: 90 });
  video.dispatchEvent(new Event("durationchange"));
  expect(timed).toHaveBeenCalledExactlyOnceWith([{ start: 0, duration: 90, filmedAt: 0 }]);
  end();
  video.dispatchEvent(new Event("durationchange"));
  expect(timed).toHaveBeenCalledOnce();
});

test("footage has seconds of the match, whatever the dates are", () => {
  const fragments = [
    { start: 0, duration: 6, programDateTime: 1_500 },
    { start: 6, duration: 6, programDateTime: 7_500 },
  ];
  const shifted = fragments.map((each) => ({
    ...each,
    programDateTime: each.programDateTime + 9e9,
  }));
  const seconds = (details: Parameters<typeof stretchesOf>[0]) =>
    stretchesOf(details).map(({ filmedAt }) => filmedAt);
  const at = (time: number) => ({ match: { startDate: new Date(time) } });
  expect(seconds({ fragments, dateRanges: at(1_000) })).toEqual([0.5, 6.5]);
  expect(seconds({ fragments: shifted, dateRanges: at(9e9 + 1_000) })).toEqual([0.5, 6.5]);
  expect(seconds({ fragments, dateRanges: {} })).toEqual([0, 6]);
  expect(seconds({ fragments: [], dateRanges: {} })).toEqual([]);
});

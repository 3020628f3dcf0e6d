import { beforeEach, expect, test, vi } from "vitest";

const fake = vi.hoisted(() => ({
  connection: "open",
  sent: [] as { type: string; data: Record<string, unknown> }[],
  signals: new Set<(message: unknown) => void>(),
  connected: [] as (() => void)[],
}));
vi.mock("../api/live", () => ({
  live: {
    get connection() {
      return fake.connection;
    },
    onConnection: (told: () => void) => fake.connected.push(told),
    onSignal: (told: (message: unknown) => void) => {
      fake.signals.add(told);
      return () => fake.signals.delete(told);
    },
    signal: (type: string, data: Record<string, unknown>) => fake.sent.push({ type, data }),
  },
}));

import { relaysOf, sessionsSettled, WebRtcView } from "./webrtc";

const tell = (type: string, data: Record<string, unknown>) => {
  for (const told of [...fake.signals]) told({ type, data });
};
const view = (kind: string, ended = vi.fn()) => new WebRtcView(kind, vi.fn(), ended);

/** Whether it has settled, after everything that is due now. */
async function settled() {
  let over = false;
  void sessionsSettled().then(() => {
    over = true;
  });
  await new Promise((done) => setTimeout(done, 0));
  return over;
}

beforeEach(() => {
  fake.sent.length = 0;
  fake.signals.clear();
});

test("a page asks relays that were configured, and no one else", () => {
  const servers = [
    { urls: ["stun:stun.example.org:19302"] },
    { urls: ["turn:relay.club.example:3478", "stun:x"], username: "a", credential: "b" },
    { urls: "turns:relay.club.example:5349" },
  ];
  expect(relaysOf(servers)).toEqual([
    { urls: ["turn:relay.club.example:3478"], username: "a", credential: "b" },
    { urls: ["turns:relay.club.example:5349"] },
  ]);
  expect(relaysOf(undefined)).toEqual([]);
});

test("a view that is left before its session came ends it when it comes, and others wait", async () => {
  view("panorama").close();
  expect(fake.sent.map(({ type }) => type)).toEqual(["webrtc_start"]);
  expect(await settled()).toBe(false);
  tell("webrtc_session_ready", { stream_kind: "panorama", session_id: "s1" });
  expect(fake.sent[1]).toEqual({
    type: "webrtc_stop",
    data: { session_id: "s1", stream_kind: "panorama" },
  });
  expect(await settled()).toBe(true);
  expect(fake.signals.size).toBe(0);
});

test("each answer belongs to the view that asked first", async () => {
  const ended = vi.fn();
  view("main_cam0").close();
  const second = view("main_cam0", ended);
  tell("webrtc_session_ready", { stream_kind: "main_cam0", session_id: "s1" });
  expect(fake.sent.filter(({ type }) => type === "webrtc_stop")).toHaveLength(1);
  tell("webrtc_error", { stream_kind: "main_cam0", error: "The camera sends nothing" });
  await vi.waitFor(() => expect(ended).toHaveBeenCalledWith("The camera sends nothing"));
  second.close();
  expect(fake.signals.size).toBe(0);
  expect(await settled()).toBe(true);
});

test("a refusal settles a view that was left, and so does a lost connection", async () => {
  view("panorama").close();
  tell("webrtc_error", { stream_kind: "panorama", error: "Panorama not calibrated" });
  expect(await settled()).toBe(true);
  view("panorama").close();
  expect(await settled()).toBe(false);
  fake.connection = "lost";
  for (const told of fake.connected) told();
  expect(await settled()).toBe(true);
  fake.connection = "open";
});

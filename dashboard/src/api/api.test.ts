import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { messageOf } from "./http";
import { KEPT_MS, LiveSocket } from "./socket";

class FakeSocket {
  static made: FakeSocket[] = [];
  sent: Record<string, unknown>[] = [];
  onclose: ((event?: { code: number; reason: string }) => void) | null = null;
  onmessage: ((event: { data: string }) => void) | null = null;

  constructor(readonly url: string) {
    FakeSocket.made.push(this);
  }

  send(text: string) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.onclose?.();
  }

  hello() {
    this.tell({ v: 1, type: "hello", channels: ["status"] });
  }

  tell(message: unknown) {
    this.onmessage?.({ data: JSON.stringify(message) });
  }
}

const newest = () => FakeSocket.made[FakeSocket.made.length - 1] as FakeSocket;
const made = () =>
  new LiveSocket("ws://here/ws", (url) => new FakeSocket(url) as unknown as WebSocket);

beforeEach(() => {
  FakeSocket.made = [];
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

test("a channel is subscribed to while anybody listens, over reconnections too", () => {
  const socket = made();
  const heard = vi.fn();
  socket.start();
  newest().hello();
  const first = socket.listen("engines", heard);
  const second = socket.listen("engines", () => undefined);
  expect(newest().sent).toEqual([{ v: 1, type: "subscribe", channels: ["engines"] }]);
  newest().tell({ v: 1, type: "engines", data: [] });
  expect(heard).toHaveBeenCalledOnce();
  expect(socket.value("engines")).toEqual([]);
  newest().close();
  expect(socket.connection).toBe("lost");
  vi.advanceTimersByTime(1000);
  newest().hello();
  expect(FakeSocket.made).toHaveLength(2);
  expect(newest().sent[0]).toEqual({ v: 1, type: "subscribe", channels: ["engines"] });
  first();
  second();
  expect(newest().sent[1]).toEqual({ v: 1, type: "unsubscribe", channels: ["engines"] });
  socket.stop();
});

test("a value is kept for half a minute after the last listener left, and told to be old", () => {
  const socket = made();
  socket.start();
  newest().hello();
  const leave = socket.listen("engines", () => undefined);
  newest().tell({ v: 1, type: "engines", data: [{ container_name: "acestream-1" }] });
  leave();
  vi.advanceTimersByTime(KEPT_MS - 1_000);
  const back = socket.listen("engines", () => undefined);
  expect(socket.value("engines")).toEqual([{ container_name: "acestream-1" }]);
  expect(socket.isStale("engines")).toBe(true);
  newest().tell({ v: 1, type: "engines", data: [] });
  expect(socket.isStale("engines")).toBe(false);
  back();
  vi.advanceTimersByTime(KEPT_MS + 1_000);
  expect(socket.value("engines")).toBeUndefined();
  socket.stop();
});

test("a value that somebody listens to again is not forgotten with the first one's leaving", () => {
  const socket = made();
  socket.start();
  newest().hello();
  const leave = socket.listen("engines", () => undefined);
  newest().tell({ v: 1, type: "engines", data: [] });
  leave();
  socket.listen("engines", () => undefined);
  for (let n = 0; n < 5; n += 1) {
    vi.advanceTimersByTime(KEPT_MS / 3);
    newest().tell({ v: 1, type: "pong" });
  }
  expect(socket.value("engines")).toEqual([]);
  socket.stop();
});

test("a command is sent again under its own id until there is a result", async () => {
  const socket = made();
  socket.start();
  const result = socket.command("start_recording", { match_id: "final" });
  newest().hello();
  const sent = newest().sent[0];
  newest().close();
  vi.advanceTimersByTime(1000);
  newest().hello();
  expect(newest().sent[0]).toEqual(sent);
  newest().tell({ type: "command_result", id: sent?.id, success: true, data: { success: true } });
  expect(await result).toEqual({ success: true });
  socket.stop();
});

test.each([
  [{ code: "cameras_taken" }, "cameras_taken"],
  [{}, null],
])("what the server could not do is an error with its words and its code", async (more, code) => {
  const socket = made();
  socket.start();
  newest().hello();
  const result = socket.command("stop_recording");
  const { id } = newest().sent[0] ?? {};
  newest().tell({ type: "command_result", id, success: false, error: "No", ...more });
  await expect(result).rejects.toMatchObject({ message: "No", status: 200, code });
  socket.stop();
});

test("a connection that says nothing any more is given up and made anew", () => {
  const socket = made();
  socket.start();
  newest().hello();
  vi.advanceTimersByTime(21_000);
  expect(socket.connection).toBe("lost");
  vi.advanceTimersByTime(1000);
  expect(FakeSocket.made).toHaveLength(2);
  socket.stop();
});

test("a connection that never comes about is given up too", () => {
  const socket = made();
  socket.start();
  vi.advanceTimersByTime(21_000);
  expect(FakeSocket.made).toHaveLength(2);
  socket.stop();
});

test("retries are ever further apart, but never more than some seconds", () => {
  const socket = made();
  socket.start();
  for (let n = 0; n < 40; n += 1) {
    newest().close();
    vi.advanceTimersByTime(6_300);
  }
  expect(FakeSocket.made).toHaveLength(41);
  socket.refuse();
  vi.advanceTimersByTime(60_000);
  expect(FakeSocket.made).toHaveLength(41);
});

test("a server that has no room is asked ever more rarely, and its reason told", () => {
  const socket = made();
  socket.start();
  for (let n = 0; n < 20; n += 1) {
    newest().onclose?.({ code: 1013, reason: "Too many connections" });
    vi.advanceTimersByTime(1_000);
  }
  expect(FakeSocket.made.length).toBeLessThan(10);
  expect(socket.reason).toBe("Too many connections");
  vi.advanceTimersByTime(10_000);
  newest().hello();
  expect(socket.reason).toBeNull();
  socket.stop();
});

test("every form of an error has its sentence", () => {
  const response = { status: 500, statusText: "Internal Server Error" };
  expect(messageOf({ detail: "Already there" }, response)).toBe("Already there");
  expect(messageOf({ detail: { message: "No room", code: "max" } }, response)).toBe("No room");
  expect(messageOf({ success: false, message: "Busy" }, response)).toBe("Busy");
  const faults = { detail: [{ loc: ["body", "match_id"], msg: "too long" }] };
  expect(messageOf(faults, response)).toBe("match_id: too long");
  expect(messageOf(undefined, response)).toBe("The server answered 500 Internal Server Error");
});

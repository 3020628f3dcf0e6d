import { expect, test } from "vitest";
import { type Event, isOfMatch, newestOfMatch, toneOf } from "./events";

const event = (more: Partial<Event>): Event => ({
  id: 1,
  timestamp: "2026-11-28T20:00:00.000000Z",
  event_type: "recording",
  category: "started",
  message: "",
  details: {},
  container_id: null,
  stream_id: null,
  ...more,
});

test("a camera that was lost and is back is among what happened in a match", () => {
  const lost = event({ event_type: "recording_camera_lost", category: "alert" });
  const back = event({ event_type: "recording_camera_recovered", category: "alert" });
  expect([lost, back].map(isOfMatch)).toEqual([true, true]);
  expect([lost, back].map(toneOf)).toEqual(["bad", "good"]);
});

test("what the fleet does is not, and each word has its colour", () => {
  const created = event({ event_type: "engine", category: "created" });
  expect(isOfMatch(created)).toBe(false);
  expect(toneOf(created)).toBe("info");
  expect(toneOf(event({ event_type: "vpn", category: "disconnected" }))).toBe("bad");
});

test("a word of another version breaks nothing", () => {
  const odd = { ...event({}), event_type: "constructor", category: "toString" } as unknown as Event;
  expect(isOfMatch(odd)).toBe(false);
  expect(toneOf(odd)).toBe("plain");
  const alert = {
    ...event({}),
    event_type: "recording_new",
    category: "alert",
  } as unknown as Event;
  expect(isOfMatch(alert)).toBe(true);
  expect(toneOf(alert)).toBe("warn");
});

test("an event that the socket told before it had its number is listed once, newest first", () => {
  const lost = event({
    event_type: "recording_camera_lost",
    category: "alert",
    timestamp: "2026-11-28T20:00:05Z",
    message: "Recording lost camera 0",
  });
  const told = [event({ ...lost, id: null }), event({ event_type: "engine", id: 9 })];
  const kept = [[event({ ...lost, id: 7 })], [event({ id: 5, message: "Started" })]];
  expect(newestOfMatch([told, ...kept], 8).map(({ id }) => id)).toEqual([7, 5]);
  expect(newestOfMatch([told], 8).map(({ id }) => id)).toEqual([null]);
});

import { afterEach, expect, test } from "vitest";
import type { Event } from "../../../lib/events";
import { loadLanguage } from "../../../messages";
import { event, killed } from "../fixtures";
import { split } from "./ActivityList";
import { entries, isAbout, isOfFleet, merged } from "./entries";

afterEach(() => loadLanguage("en"));

const NAMES = new Map([
  ["2", "acestream-2"],
  ["5", "acestream-5"],
]);
const told = (...events: Event[]) => entries([...events].reverse(), NAMES).map(({ text }) => text);

test("a failure and what took the engine's place are one line, with reason and duration", () => {
  const [entry, ...others] = entries(killed("2", "5").reverse(), new Map());
  expect(entry?.text).toBe(
    "acestream-2 stopped unexpectedly (exit 137) → replaced by acestream-5 in 0.4 s",
  );
  expect(entry?.more).toEqual(["It had run for 2 h", "1 stream ended with it"]);
  expect([...(entry?.engines ?? [])]).toEqual([
    ["acestream-2", "2"],
    ["acestream-5", "5"],
  ]);
  expect(entry?.tone).toBe("bad");
  expect(others).toEqual([]);
});

test("until it is replaced, and where only the replacement is known, that is said", () => {
  const [failed, replaced] = killed("2", "5", null) as [Event, Event];
  expect(told(failed)).toEqual(["acestream-2 disappeared"]);
  expect(told(replaced)).toEqual(["acestream-2 was replaced by acestream-5 in 0.4 s"]);
});

test("in German it is the same line", async () => {
  await loadLanguage("de");
  expect(told(...killed("2", "5"))[0]).toMatch(
    /^acestream-2 ist unerwartet ausgefallen \(Exit-Code 137\) → nach 0,4 s ersetzt durch/,
  );
});

test.each([
  [event("engine", "created", "5", { took_s: 0.4 }), "acestream-5 started in 0.4 s"],
  [
    event("engine", "created", "5", { took_s: 0.4, replaces: "outdated" }),
    "acestream-5 started in 0.4 s as a replacement: it had old settings",
  ],
  [
    event("engine", "created", "5", { took_s: 0.4, for_client: true }),
    "acestream-5 started in 0.4 s, for a player that asked for one",
  ],
  [
    event("engine", "draining", "2", { reason: "vpn_lost" }),
    "acestream-2 takes no new streams: its VPN is not connected",
  ],
  [event("engine", "draining", "2"), "acestream-2 takes no new streams: as requested"],
  [
    event("engine", "deleted", "2", { reason: "scale_down" }),
    "acestream-2 was removed: no longer needed",
  ],
  [
    event("engine", "failed", null, { code: "image_not_found" }),
    "An engine could not be started: the image does not exist",
  ],
  [
    event("health", "failed", "2", { failures: 2 }),
    "acestream-2 does not answer (2 failed checks)",
  ],
  [
    event("health", "failed", null, { breaker: "general", failure_count: 5 }),
    "Starting engines is on hold: 5 starts failed in a row",
  ],
  [
    event("health", "insufficient_engines", null, { healthy_engines: 1, minimum: 2 }),
    "Only 1 engine is healthy; the minimum is 2",
  ],
  [
    event("system", "scaling", null, { starting: 1, target: 4, usable: 3 }),
    "Starting 1 engine: 3 of 4 are healthy",
  ],
  [
    event("system", "scaling", null, { demand: 4, target: 4, before: 2 }),
    "The number of engines was set to 4 (before: 2)",
  ],
  [
    event("vpn", "emergency", null, { failed_vpn: "gluetun-a", healthy_vpn: "gluetun-b" }),
    "gluetun-a is down; all engines use gluetun-b",
  ],
])("an event is told in plain words (%#)", (happened, text) => {
  expect(told(happened)).toEqual([text]);
});

test("what ends something says how long it had lasted", () => {
  const [silent, answers] = [
    event("health", "failed", "2", { failures: 2 }),
    event("health", "recovered", "2"),
  ];
  answers.timestamp = new Date(Date.parse(silent.timestamp) + 12_000).toISOString();
  expect(told(silent, answers)[0]).toBe("acestream-2 answers again after 12 s");
  const [lost, back] = [
    event("vpn", "disconnected", null, { container: "gluetun-a" }),
    event("vpn", "recovered", null, { container: "gluetun-a" }),
  ];
  expect(told(lost, back)).toEqual([
    "gluetun-a is connected again after 1 s",
    "gluetun-a is not connected",
  ]);
});

test("a stream's end has its reason and its length", () => {
  const ended = {
    ...event("stream", "ended", "2", { reason: "engine_died", duration_s: 125 }),
    stream_id: "ch-42",
  };
  expect(told(ended)).toEqual(["Stream ch-42 ended after 2 min: its engine stopped"]);
  const odd = { ...ended, details: { reason: "viewer left" } };
  expect(told(odd)).toEqual(["Stream ch-42 ended: viewer left"]);
});

test("what is not known is told in the server's words", () => {
  const odd = event("engine", "warning", "2");
  expect(told(odd)).toEqual([odd.message]);
  const bare = event("system", "scaling");
  expect(told(bare)).toEqual([bare.message]);
});

test("each event is there once, newest first, also before it has its number", () => {
  const [first, second] = [event("engine", "created", "2"), event("engine", "deleted", "2")];
  const onItsWay = { ...second, id: null };
  expect(
    merged([
      [onItsWay, first],
      [second, first],
    ]),
  ).toEqual([second, first]);
  expect(merged([[onItsWay], [first]])).toEqual([onItsWay, first]);
});

test("what is of the fleet and of an engine is found", () => {
  const [failed, replaced] = killed("2", "5") as [Event, Event];
  expect(isOfFleet(failed)).toBe(true);
  expect(isOfFleet(event("recording", "started"))).toBe(false);
  expect(isOfFleet(event("health", "failed", null, { task: "samples" }))).toBe(false);
  expect(isOfFleet(event("system", "warning", null, { attempts: 5 }))).toBe(false);
  expect([isAbout(failed, "5"), isAbout(replaced, "5"), isAbout(replaced, "2")]).toEqual([
    false,
    true,
    true,
  ]);
});

test("a name is found in a sentence, and not in a longer name", () => {
  expect(split("acestream-12 → acestream-1.", ["acestream-1"])).toEqual([
    "acestream-12 → ",
    "acestream-1",
    ".",
  ]);
  expect(split("nothing", [])).toEqual(["nothing"]);
});

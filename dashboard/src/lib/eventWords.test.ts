import { afterEach, expect, test } from "vitest";
import { loadLanguage } from "../messages";
import type { Event } from "./events";
import { eventInWords } from "./eventWords";
import { titleOf } from "./matchName";

afterEach(() => loadLanguage("en"));

const event = (more: Partial<Event>): Event => ({
  id: 1,
  timestamp: "2026-11-27T15:00:00Z",
  event_type: "recording",
  category: "started",
  message: "in the server's words",
  container_id: null,
  stream_id: null,
  details: { match_id: "2026-11-27 Lions - Tigers" },
  ...more,
});
const FINISHED = { event_type: "processing", category: "finished" } as const;

test.each([
  [{}, "Recording of Lions – Tigers started"],
  [{ category: "stopped" }, "Recording of Lions – Tigers stopped"],
  [{ category: "refused" }, "in the server's words"],
  [
    { category: "refused", details: { match_id: "2026-11-27 Lions - Tigers", code: "disk_full" } },
    "Lions – Tigers was not recorded: The disk is full.",
  ],
  [{ category: "disk", details: { code: "disk_gone" } }, "The recordings disk is not connected."],
  [{ category: "disk", details: {} }, "in the server's words"],
  [{ category: "started", details: {} }, "in the server's words"],
  [
    { ...FINISHED, details: { match_id: "2026-11-27 Lions - Tigers", kind: "follow" } },
    "Follow-the-play video of Lions – Tigers is done",
  ],
  [{ ...FINISHED, details: { match_id: "m1", kind: "toString" } }, "in the server's words"],
] as [Partial<Event>, string][])("%j is told as %s", (more, told) => {
  expect(eventInWords(event(more), [], titleOf)).toBe(told);
});

test("it is told in the language that is shown", async () => {
  await loadLanguage("de");
  expect(eventInWords(event({}), [], titleOf)).toBe("Aufnahme von Lions – Tigers gestartet");
});

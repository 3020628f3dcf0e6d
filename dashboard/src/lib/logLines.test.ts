import { expect, test } from "vitest";
import { filtered, merged, readLine, readLines } from "./logLines";

const IDS = ["2026-11-27 Lions - Tigers - Cup", "2026-11-27 Lions - Tigers"];
const ALERT = JSON.stringify({
  details: { match_id: "derby", camera_id: 1 },
  event_type: "recording_camera_lost",
  message: "Recording lost camera 1",
  severity: "error",
  ts: "2026-11-27T14:02:41.266000Z",
});

test("plain lines have their level, their time and the match that they name", () => {
  const line = "[2026-11-27 14:00:00] ALERT: unhealthy: match 2026-11-27 Lions - Tigers, 60 s";
  expect(readLine(line, IDS)).toEqual({
    at: "2026-11-27 14:00:00",
    level: "alert",
    text: line,
    matchId: "2026-11-27 Lions - Tigers",
  });
  expect(readLine("[2026-11-27 14:00:00] INFO: healthy", IDS).level).toBe("info");
  expect(readLine("something else", IDS)).toMatchObject({ level: "info", matchId: null, at: "" });
});

test("alerts are read out of their objects, with what they say and their match", () => {
  const line = readLine(ALERT, []);
  expect(line).toMatchObject({ level: "alert", matchId: "derby", at: "2026-11-27 14:02:41" });
  expect(line.text).toBe(
    "[2026-11-27 14:02:41] ERROR: Recording lost camera 1 (recording_camera_lost)",
  );
  expect(readLine(ALERT.replace('"error"', '"warning"'), []).level).toBe("warning");
  expect(readLine(ALERT.slice(0, 40), []).text).toBe(ALERT.slice(0, 40));
});

test("lines of the server are read out of their objects, with everything that they say", () => {
  const line = JSON.stringify({
    ts: "2026-11-27T14:02:41.266Z",
    level: "error",
    logger: "touchline.capture.recording",
    message: "It failed",
    camera: 1,
    exception: "Traceback:\n  ValueError: x",
  });
  expect(readLine(line, [])).toEqual({
    at: "2026-11-27 14:02:41.266",
    level: "alert",
    text: "[2026-11-27 14:02:41.266] ERROR touchline.capture.recording: It failed camera=1\nTraceback:\n  ValueError: x",
    matchId: null,
  });
  expect(readLine(line.replace("It failed", `${IDS[1]} failed`), IDS).matchId).toBe(IDS[1]);
  expect(readLine(line.replace('"error"', '"info"'), []).level).toBe("info");
});

test("what a program writes without a time belongs to the line before it", () => {
  const lines = readLines(
    [
      "0:00:01 GStreamer says hello",
      "2026-11-27T14:02:39.104Z cam0 ERROR the writer failed",
      "Traceback (most recent call last):",
      "2026-11-27T14:02:40.104Z cam0 WARNING camera lost",
      "2026-11-27T14:02:41.104Z cam0 INFO it is back",
    ],
    [],
  );
  expect(lines.map(({ level }) => level)).toEqual(["info", "alert", "alert", "warning", "info"]);
  expect(lines[1]?.at).toBe("2026-11-27 14:02:39.104");
});

test("lines are found by level and by words, whatever their case", () => {
  const lines = [readLine("[a] INFO: cam0 was started", []), readLine(ALERT, [])];
  expect(filtered(lines, "all", "CAM0")).toHaveLength(1);
  expect(filtered(lines, "alerts", "")).toEqual([lines[1]]);
  expect(filtered(lines, "warnings", "started")).toEqual([]);
});

test("several logs are one in the order of their times, and lines without one stay", () => {
  const log = (...texts: string[]) => texts.map((text) => readLine(text, []));
  const one = log("[2026-11-27 14:00:01] INFO: a", "a goes on", "[2026-11-27 14:00:05] INFO: c");
  const other = log("[2026-11-27 14:00:03] INFO: b");
  const texts = merged([one, other]).map(({ text }) => text.split(": ").at(-1));
  expect(texts).toEqual(["a", "a goes on", "b", "c"]);
});

import { afterEach, describe, expect, test } from "vitest";
import { loadLanguage } from "../messages";
import {
  ago,
  bitrate,
  bytes,
  clock,
  day,
  duration,
  list,
  number,
  plural,
  shortDuration,
  timeLeft,
} from "./format";
import { Histories, Series } from "./history";
import { follow } from "./lines";
import { matchId, parseMatchId, today } from "./matchName";
import { qualityInWords } from "./quality";
import { parseThumbnails, thumbnailAt } from "./vtt";

describe("format", () => {
  afterEach(() => loadLanguage("en"));

  test("times and sizes read like those on a scoreboard and a disk", () => {
    expect(clock(65)).toBe("1:05");
    expect(clock(5025.9)).toBe("1:23:45");
    expect(duration(7500)).toBe("2 h 5 min");
    expect(duration(30)).toBe("30 s");
    expect(bytes(1536)).toBe("1.5 KiB");
    expect(bitrate(12_000_000)).toBe("12.0 Mbit/s");
    expect(ago("2026-11-27T10:00:00Z", Date.parse("2026-11-27T10:05:00Z"))).toBe("5 min ago");
    expect(ago(null)).toBe("never");
    expect(shortDuration(0.42)).toBe("0.4 s");
    expect(shortDuration(75)).toBe("1 min");
    expect(plural(1289, "picture")).toBe("1,289 pictures");
  });

  test("they read so in the language that is shown", async () => {
    await loadLanguage("de");
    const now = Date.parse("2026-11-27T10:00:00Z");
    expect(bytes(1536)).toBe("1,5 KiB");
    expect(bitrate(12_000_000)).toBe("12,0 Mbit/s");
    expect(shortDuration(0.42)).toBe("0,4 s");
    expect(number(1289)).toBe("1.289");
    expect(duration(3 * 86_400)).toBe("3 Tage");
    expect(timeLeft(48 * 60)).toBe("48 h");
    expect(ago("2026-11-27T09:55:00Z", now)).toBe("vor 5 min");
    expect(ago("2026-11-24T10:00:00Z", now)).toBe("vor 3 Tagen");
    expect(ago("2026-11-27T10:00:00Z", now)).toBe("gerade eben");
    expect(list(["LEFT", "RIGHT"])).toBe("LEFT und RIGHT");
    expect(day("2026-11-27")).toBe("27.11.2026");
    expect(day("soon")).toBe("soon");
  });
});

describe("the name of a match", () => {
  const lions = { date: "2026-11-27", home: "Lions", away: "Tigers", competition: "District Cup" };

  test("is its id, and is read back from it", () => {
    expect(matchId(lions)).toBe("2026-11-27 Lions - Tigers - District Cup");
    expect(parseMatchId(matchId(lions))).toEqual({
      title: "Lions – Tigers",
      competition: "District Cup",
      date: "2026-11-27",
    });
  });

  test("keeps to what a folder may be called", () => {
    const id = matchId({ ...lions, home: "SC/Rot-Weiß: “1899”", away: "FC  Łódź - II" });
    expect(id).toBe("2026-11-27 SC Rot-Weiß 1899 - FC Łódź-II - District Cup");
    expect(id).toMatch(/^[\p{L}\p{N}\p{M}._\- ]{1,128}$/u);
    expect(matchId({ ...lions, home: "x".repeat(300) }).length).toBe(128);
  });

  test("nobody has to type one", () => {
    expect(matchId({ date: "2026-11-27", home: "", away: "", competition: "" }, "14.30.05")).toBe(
      "2026-11-27 Match 14.30.05",
    );
    expect(parseMatchId("match_1770836561").title).toBe("match_1770836561");
    expect(today(new Date(2026, 0, 3))).toBe("2026-01-03");
  });
});

describe("series", () => {
  test("stay as long as they are wide, and never go back in time", () => {
    const series = new Series(3);
    for (const time of [1, 2, 2, 1, 3, 4]) series.add(time, time * 10);
    expect(series.times).toEqual([2, 3, 4]);
    expect(series.values).toEqual([20, 30, 40]);
  });

  test("of engines that are gone are forgotten", () => {
    const histories = new Histories(10);
    histories.add(1, { a: 1, b: 2 });
    histories.keepOnly((name) => name === "a");
    expect(histories.get("a").values).toEqual([1]);
    expect(histories.get("b").values).toEqual([]);
  });

  test("curves go on after a reload of the tab, and what cannot be read is no curve", () => {
    const histories = new Histories(2);
    histories.keepOverReload("curves");
    for (const at of [1, 2, 3]) histories.add(at, { a: at * 10 });
    histories.add(3, { b: 7 });
    dispatchEvent(new Event("pagehide"));
    const next = new Histories(2);
    next.keepOverReload("curves");
    expect(next.get("a")).toMatchObject({ times: [2, 3], values: [20, 30] });
    expect(next.get("b").values).toEqual([7]);
    sessionStorage.setItem("curves", "{broken");
    const later = new Histories(2);
    later.keepOverReload("curves");
    expect(later.get("a").values).toEqual([]);
    sessionStorage.clear();
  });
});

describe("a log that is followed", () => {
  const news = (lines: string[], written: number) => ({ log_type: "health", lines, written });

  test("shows every line once", () => {
    let log = { lines: ["old", "one"], written: null as number | null };
    log = follow(log, news(["one"], 1));
    expect(log.lines).toEqual(["old", "one"]);
    log = follow(log, news(["one", "two", "two"], 3));
    expect(log.lines).toEqual(["old", "one", "two", "two"]);
    expect(follow(log, news(["one", "two", "two"], 3))).toBe(log);
  });

  test("goes on behind a server that began anew", () => {
    const log = follow({ lines: ["a"], written: 50 }, news(["b", "c"], 2));
    expect(log.lines).toEqual(["a", "b", "c"]);
  });
});

test("a calibration's quality is said in words", () => {
  expect(qualityInWords({ quality_score: 0.9, overlap: 0.3 }).word).toBe("Excellent");
  expect(qualityInWords({ quality_score: 0.75, overlap: 0.05 }).advice).toContain("overlap");
  expect(qualityInWords({ quality_score: 0.2 }).word).toBe("Poor");
  expect(qualityInWords({}).word).toBe("Not measured");
});

test("thumbnails are found by time", () => {
  const text =
    "WEBVTT\n\n00:00:00.000 --> 00:00:10.000\ns.jpg#xywh=0,0,160,90\n\n00:00:10.000 --> 01:00:20.000\ns.jpg#xywh=160,0,160,90\n";
  const thumbnails = parseThumbnails(text);
  expect(thumbnails).toHaveLength(2);
  expect(thumbnails[1]?.to).toBe(3620);
  expect(thumbnailAt(thumbnails, 3)?.x).toBe(0);
  expect(thumbnailAt(thumbnails, 11)?.x).toBe(160);
  expect(thumbnailAt([], 1)).toBeUndefined();
});

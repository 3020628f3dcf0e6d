import { expect, test } from "vitest";
import type { MatchEntry } from "../../api/capture";
import { overlapOf } from "../../lib/quality";
import { grouped } from "../engines/variant/Parameters";
import { found, rowOf } from "./list";

const entry = (more: Partial<MatchEntry> = {}): MatchEntry => ({
  files: [],
  total_size_mb: 10,
  camera_count: 2,
  segments_count: 2,
  created_at: 100,
  ...more,
});
const row = (id: string, more: Partial<MatchEntry> = {}) => rowOf(id, entry(more));
const rows = [
  row("2026-11-20 Owls - Lions - League", { started_at: 1000, total_size_mb: 5 }),
  row("2026-11-27 Lions - Tigers - Cup", { started_at: 2000, total_size_mb: 50 }),
  row("match_1770836561"),
];
const ids = (list: { id: string }[]) => list.map(({ id }) => id.slice(0, 10));

test("a search finds the matches that hold all of its words", () => {
  expect(ids(found(rows, "lions CUP", "-date"))).toEqual(["2026-11-27"]);
  expect(ids(found(rows, "", "-date"))).toEqual(["2026-11-27", "2026-11-20", "match_1770"]);
  expect(ids(found(rows, "", "size"))).toEqual(["2026-11-20", "match_1770", "2026-11-27"]);
  expect(found(rows, "bears", "-date")).toEqual([]);
});

test("matches are sorted by the day on which they were played, not recorded", () => {
  const details = { home: null, away: null, competition: null, venue: null, note: null };
  const copied = row("copied", { started_at: 1e9, details: { ...details, date: "2026-11-25" } });
  const sorted = found([...rows, copied], "", "-date");
  expect(ids(sorted)).toEqual(["2026-11-27", "copied", "2026-11-20", "match_1770"]);
});

test("what both cameras see is shown once it is known", () => {
  expect(overlapOf({ overlap: 0.34 })).toBe(0.34);
  expect(overlapOf({})).toBeNull();
  expect(overlapOf(undefined)).toBeNull();
});

test("parameters are found by name and by what they are for, in their groups", () => {
  const parameter = (name: string) => ({
    name,
    type: "int",
    value: 1,
    enabled: true,
    custom: false,
  });
  const about = {
    name: "--live-buffer",
    type: "int" as const,
    default: 10,
    enabled: true,
    group: "buffer",
    help: "So much is gathered before it plays.",
    unit: "s",
    choices: [],
    minimum: null,
    maximum: null,
    secret: false,
  };
  const all = [parameter("--live-buffer"), parameter("--mine")];
  expect(grouped(all, [about], "").map(([group]) => group)).toEqual(["buffer", ""]);
  expect(grouped(all, [about], "gathered PLAYS").map(([group]) => group)).toEqual(["buffer"]);
  expect(grouped(all, [about], "nothing")).toEqual([]);
});

import type { MatchEntry } from "../../api/capture";
import { dateTime } from "../../lib/format";
import { dayOf, type Naming, namingOf } from "./names";

/** A match of the list. */
export type Row = Naming & { id: string; entry: MatchEntry };

export const ORDERS = [
  "-date",
  "date",
  "name",
  "-name",
  "-length",
  "length",
  "-size",
  "size",
] as const;
/** What the list is sorted by; a minus stands for falling. */
export type Order = (typeof ORDERS)[number];
export type Column = "date" | "name" | "length" | "size";

export const FILTERS = ["all", "problems", "protected", "unprocessed"] as const;
export type Filter = (typeof FILTERS)[number];

const startOf = ({ entry }: Row) => entry.started_at ?? entry.created_at ?? 0;

/** The day on which a match was played: as people say, or else as it was recorded. */
const dayIn = (row: Row) =>
  (row.date || new Date(startOf(row) * 1000).toISOString()).slice(0, "2026-11-27".length);

/** When a match was, as one says it. */
export const whenOf = (row: Row) => (row.date ? dayOf(row.date) : dateTime(startOf(row)));

const VALUES: Record<Column, (row: Row) => number | string> = {
  date: (row) => `${dayIn(row)} ${startOf(row)}`,
  name: ({ title }) => title.toLocaleLowerCase(),
  size: ({ entry }) => entry.total_size_mb,
  length: ({ entry }) => entry.duration_s ?? 0,
};

const KEPT: Record<Filter, (row: Row) => boolean> = {
  all: () => true,
  problems: ({ entry }) => wasInterrupted(entry) || (entry.gaps ?? 0) > 0,
  protected: ({ entry }) => entry.protected === true,
  unprocessed: ({ entry }) => !isProcessed(entry),
};

export const rowOf = (id: string, entry: MatchEntry): Row => ({
  id,
  entry,
  ...namingOf(id, entry.details),
});

/** One of these words, or the first where it is none of them. */
export function oneOf<T extends string>(known: readonly [T, ...T[]], word: string | null): T {
  return known.find((each) => each === word) ?? known[0];
}

/** The matches that hold every word of a search and pass a filter, in an order. */
export function found(
  rows: readonly Row[],
  search: string,
  order: Order,
  filter: Filter = "all",
): Row[] {
  const wanted = search.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const falling = order.startsWith("-");
  const value = VALUES[order.replace("-", "") as Column];
  return rows
    .filter((row) => {
      const text = textOf(row);
      return KEPT[filter](row) && wanted.every((word) => text.includes(word));
    })
    .sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      const before = x < y ? -1 : x > y ? 1 : a.id < b.id ? -1 : 1;
      return falling ? -before : before;
    });
}

function textOf({ id, title, competition, venue, date }: Row): string {
  return [id, title, competition, venue, date, dayOf(date)].join(" ").toLocaleLowerCase();
}

/** Whether videos were made of a match. */
export function isProcessed(entry: MatchEntry): boolean {
  return entry.files.some(({ file }) => file.endsWith("_archive.mp4"));
}

export function wasInterrupted(entry: MatchEntry): boolean {
  return entry.state === "interrupted" || (entry.interruptions ?? 0) > 0;
}

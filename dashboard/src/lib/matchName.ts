import type { Schema } from "../api/http";
import { words } from "../messages";

/** A match as people name it. Its id, which is its folder's name too, says all of it. */
export type MatchName = { date: string; home: string; away: string; competition: string };

type Details = Schema["MatchDetails"];

const LONGEST = 128;
const SEPARATOR = " - ";
const NAMED = /^(\d{4}-\d{2}-\d{2}) (.+)$/;

/**
 * The id of a match: `2026-11-27 Lions - Tigers - District Cup`. What an id must not hold is left
 * out; a dash inside a name is kept without spaces, because with them it separates.
 */
export function matchId({ date, home, away, competition }: MatchName, time = ""): string {
  const { name } = words.matchday;
  const parts = [home, away, competition].map(clean);
  const [one = "", other = "", cup = ""] = parts;
  const teams = one || other ? [one || name.home, other || name.away] : [];
  const named = [...teams, ...(cup ? [cup] : [])];
  const rest = named.length ? named.join(SEPARATOR) : `${name.match}${time ? ` ${time}` : ""}`;
  return [date, rest].filter(Boolean).join(" ").slice(0, LONGEST).trim();
}

/** The other way round; what was not named here is shown as it is. */
export function parseMatchId(id: string): { title: string; competition: string; date: string } {
  const found = NAMED.exec(id);
  if (!found) return { title: id, competition: "", date: "" };
  const [, date = "", rest = ""] = found;
  const [home, away, ...more] = rest.split(SEPARATOR);
  if (!away) return { title: home ?? rest, competition: "", date };
  return { title: `${home} – ${away}`, competition: more.join(SEPARATOR), date };
}

/** What is known of a match: what people gave, and otherwise what its id says. */
export function factsOf(id: string, details?: Details | null): MatchName & { venue: string } {
  const [, date = "", rest = ""] = NAMED.exec(id) ?? [];
  const [home = "", away = "", ...more] = rest.includes(SEPARATOR) ? rest.split(SEPARATOR) : [];
  return {
    home: details?.home ?? home,
    away: details?.away ?? away,
    competition: details?.competition ?? more.join(SEPARATOR),
    venue: details?.venue ?? "",
    date: details?.date?.slice(0, 10) ?? date,
  };
}

/** How a match is called: its teams where they are known. */
export function titleOf(id: string, details?: Details | null): string {
  const { home, away } = factsOf(id, details);
  const { name } = words.matchday;
  return home || away ? `${home || name.home} – ${away || name.away}` : parseMatchId(id).title;
}

function clean(text: string): string {
  return text
    .normalize("NFC")
    .replace(/\s*[-–—]\s*/g, "-")
    .replace(/[^\p{L}\p{N}\p{M}._\- ]/gu, " ")
    .replace(/\s+/g, " ")
    .trim();
}

/** Today where the person is, as `2026-11-27`. */
export function today(now: Date = new Date()): string {
  const month = String(now.getMonth() + 1).padStart(2, "0");
  return `${now.getFullYear()}-${month}-${String(now.getDate()).padStart(2, "0")}`;
}

export function timeNow(now: Date = new Date()): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${two(now.getHours())}.${two(now.getMinutes())}.${two(now.getSeconds())}`;
}

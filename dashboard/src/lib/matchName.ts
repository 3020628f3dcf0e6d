import type { Schema } from "../api/http";
import { words } from "../messages";

/** A match as people name it. Its id, which is its folder's name too, says all of it. */
export type MatchName = { date: string; home: string; away: string; competition: string };

export type Details = Schema["MatchDetails"];

const LONGEST = 128;
const SEPARATOR = " - ";
const TEAMS = " – ";
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
  return { title: `${home}${TEAMS}${away}`, competition: more.join(SEPARATOR), date };
}

/** The details of a match: those that were given, or else what its id says. */
export function detailsOf(id: string, given: Details | null | undefined): Details {
  if (given && Object.values(given).some(Boolean)) return given;
  const { title, competition, date } = parseMatchId(id);
  const teams = date && title.includes(TEAMS) ? title.split(TEAMS) : [];
  return {
    home: teams[0] ?? null,
    away: teams.slice(1).join(TEAMS) || null,
    competition: competition || null,
    venue: null,
    date: date || null,
    note: null,
  };
}

/** The details of a match as fields of a form have them: a day, and no nulls. */
export function factsOf(id: string, given?: Details | null): MatchName & { venue: string } {
  const { home, away, competition, venue, date } = detailsOf(id, given);
  return {
    home: home ?? "",
    away: away ?? "",
    competition: competition ?? "",
    venue: venue ?? "",
    date: (date ?? parseMatchId(id).date).slice(0, 10),
  };
}

/** How a match is called: by the teams that are known, or else by its id. */
export function titleOf(id: string, given?: Details | null): string {
  const { home, away } = detailsOf(id, given);
  return [home, away].filter(Boolean).join(TEAMS) || parseMatchId(id).title;
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

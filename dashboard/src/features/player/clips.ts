import { matchPath } from "../../api/capture";
import { fileName } from "../../lib/fileName";
import { clock } from "../../lib/format";

/** What is to be cut out, in seconds of the match. */
export type Range = { from: number | null; to: number | null };
export type Cut = { from: number; to: number };

export const BEFORE_S = 8;
export const AFTER_S = 4;

/** The clip of a range that has both ends in order; null for any other. */
export function cutOf({ from, to }: Range): Cut | null {
  return from !== null && to !== null && to > from ? { from, to } : null;
}

/** What happened around a marker, as far as the match goes. */
export function cutAround(at: number, lasts: number): Cut {
  const within = Math.min(Math.max(0, at), lasts);
  return { from: Math.max(0, within - BEFORE_S), to: Math.min(lasts, within + AFTER_S) };
}

/** Where the server cuts a clip out. */
export function clipPath(matchId: string, camera: string, { from, to }: Cut): string {
  const query = new URLSearchParams({ camera, start: from.toFixed(3), end: to.toFixed(3) });
  return `${matchPath(matchId, "clip")}?${query}`;
}

/** The address of a match at a moment, for people who have access to this server. */
export function pageLink(matchId: string, at: number): string {
  const { origin, pathname } = window.location;
  const time = Math.round(at * 10) / 10;
  return `${origin}${pathname}#/matches/${encodeURIComponent(matchId)}${time ? `?t=${time}` : ""}`;
}

/** The name of a clip, such as `SV Süd – FC Nord 0-03.mp4`. */
export const clipName = (title: string, at: number) => fileName(`${title} ${clock(at)}.mp4`);

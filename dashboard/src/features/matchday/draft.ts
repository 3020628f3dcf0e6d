import { type MatchEntry, useMatches } from "../../api/capture";
import type { Schema } from "../../api/http";
import { useKeptInTab } from "../../lib/kept";
import { factsOf, matchId, timeNow, today } from "../../lib/matchName";

/** What is filled in before a match. */
export type Draft = {
  home: string;
  away: string;
  competition: string;
  venue: string;
  /** Null is the day on which it is started. */
  date: string | null;
  /** The match whose next part this is. */
  continues: string | null;
};

export const EMPTY: Draft = {
  home: "",
  away: "",
  competition: "",
  venue: "",
  date: null,
  continues: null,
};

/** What was filled in, kept over a reload, and how to fill it in. */
export function useDraft() {
  const [draft, keep] = useKeptInTab<Draft>("touchline-match-details", EMPTY);
  return {
    draft,
    /** Fill in some of it. What is changed so is no longer the next part of another match. */
    set: (part: Partial<Draft>) => keep({ ...draft, continues: null, ...part }),
    clear: () => keep(EMPTY),
  };
}

/** The order to record a match that is described so. */
export function orderOf(draft: Draft): Pick<Schema["StartRecording"], "match_id" | "details"> {
  const { home, away, competition, venue, continues } = draft;
  // What is known of a match that goes on is stored already.
  if (continues !== null) return { match_id: continues };
  // A page that is left open over night starts tomorrow's match tomorrow.
  const date = draft.date ?? today();
  const named = [home, away, competition, venue].some((text) => text.trim() !== "");
  return {
    match_id: matchId({ home, away, competition, date }, timeNow()),
    details: named ? { home, away, competition, venue, date } : null,
  };
}

/** The draft of a match's next part. */
export function nextPartOf(id: string, entry: MatchEntry | undefined): Draft {
  const { home, away, competition, venue, date } = factsOf(id, entry?.details);
  return { home, away, competition, venue, date: date || null, continues: id };
}

export type Suggestions = { teams: string[]; competitions: string[]; venues: string[] };

/** What earlier matches had, newest first, each once. */
export function suggestionsOf(matches: Record<string, MatchEntry> | undefined): Suggestions {
  const facts = newestFirst(matches).map(([id, { details }]) => factsOf(id, details));
  const each = (texts: string[]) => [...new Set(texts.filter(Boolean))];
  return {
    teams: each(facts.flatMap(({ home, away }) => [home, away])),
    competitions: each(facts.map(({ competition }) => competition)),
    venues: each(facts.map(({ venue }) => venue)),
  };
}

function newestFirst(matches: Record<string, MatchEntry> | undefined): [string, MatchEntry][] {
  const at = ({ started_at, created_at }: MatchEntry) => started_at ?? created_at ?? 0;
  return Object.entries(matches ?? {}).sort(([, a], [, b]) => at(b) - at(a));
}

/** The newest match whose teams are known, for whoever films the same teams once more. */
export function useNewestNamed(): { id: string; entry: MatchEntry } | null {
  const matches = useMatches();
  const found = newestFirst(matches.data).find(([id, { details }]) => {
    const { home, away } = factsOf(id, details);
    return home || away;
  });
  return found ? { id: found[0], entry: found[1] } : null;
}

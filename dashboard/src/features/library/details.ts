import { api, ask } from "../../api/http";
import type { Details } from "../../lib/matchName";
import { words } from "../../messages";

export const FIELDS = ["home", "away", "competition", "venue", "date", "note"] as const;
export type FieldName = (typeof FIELDS)[number];
/** What is wrong with fields, in words for people. */
export type Faults = Partial<Record<FieldName, string>>;

/** Details that were not saved, because fields are wrong. */
export class WrongFields extends Error {
  constructor(readonly faults: Faults) {
    super(words.library.edit.notSaved);
  }
}

/** Saves details; an empty field is one that nobody knows. Throws WrongFields and ServerError. */
export async function saveDetails(matchId: string, details: Details): Promise<void> {
  const body = Object.fromEntries(FIELDS.map((name) => [name, details[name]?.trim() || null]));
  const params = { path: { match_id: matchId } };
  const answer = await api.PUT("/api/v1/matches/{match_id}/details", { params, body });
  const faults = faultsIn(answer.error);
  if (Object.keys(faults).length > 0) throw new WrongFields(faults);
  await ask(Promise.resolve(answer));
}

type Item = { loc?: unknown[]; msg?: string; type?: string; ctx?: { max_length?: unknown } };

/** What a refusal says of each field. */
export function faultsIn(error: unknown): Faults {
  const detail = (error as { detail?: unknown } | undefined)?.detail;
  const faults: Faults = {};
  for (const item of Array.isArray(detail) ? (detail as Item[]) : []) {
    const name = FIELDS.find((each) => item.loc?.includes(each));
    if (name) faults[name] = faultOf(name, item);
  }
  return faults;
}

function faultOf(name: FieldName, { type, msg, ctx }: Item): string {
  const { badDate, tooLong, notSaved } = words.library.edit;
  if (name === "date") return badDate;
  if (type === "string_too_long" && ctx?.max_length) return tooLong(Number(ctx.max_length));
  return msg ?? notSaved;
}

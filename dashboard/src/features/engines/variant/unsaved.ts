import { useNavigationGuard } from "../../../lib/hashLocation";
import { words } from "../../../messages";
import { useFeedback } from "../../../ui/feedback";
import type { Config, Entry } from "./Parameters";

const NAME = "touchline-variant-draft";

/** What was changed and not saved, and on top of what. */
export type Kept = { base: string; draft: Config };

/** The draft that a reload of this tab of the browser has left; null where there is none. */
export function keptDraft(): Kept | null {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(NAME) ?? "null");
    const { base, draft } = (kept ?? {}) as Partial<Kept>;
    return typeof base === "string" && Array.isArray(draft?.parameters) ? { base, draft } : null;
  } catch {
    return null; // storage that is blocked, or a draft of another version
  }
}

/** Keep a draft over a reload; null forgets it. Secrets that were typed are not kept. */
export function keepDraft(kept: Kept | null, catalogue: readonly Entry[]) {
  try {
    if (kept === null) sessionStorage.removeItem(NAME);
    else sessionStorage.setItem(NAME, JSON.stringify(withoutSecrets(kept, catalogue)));
  } catch {
    // Storage that is blocked or full: the draft lives until the page is closed.
  }
}

function withoutSecrets({ base, draft }: Kept, catalogue: readonly Entry[]): Kept {
  const secret = new Set(catalogue.filter((entry) => entry.secret).map(({ name }) => name));
  const saved = JSON.parse(base) as Config;
  const parameters = (draft.parameters ?? []).map((parameter) =>
    secret.has(parameter.name)
      ? (saved.parameters?.find(({ name }) => name === parameter.name) ?? parameter)
      : parameter,
  );
  return { base, draft: { ...draft, parameters } };
}

/** Asks before unsaved changes are left for another tab or page; they are kept for the way back. */
export function useLeaveGuard(unsaved: boolean) {
  const { confirm } = useFeedback();
  useNavigationGuard(unsaved, {
    leaves: ({ path, query }) => path !== "/engines" || query.get("tab") !== "variant",
    ask: () => confirm({ ...words.shell.leaving, body: words.engines.variant.leaveBody }),
  });
}

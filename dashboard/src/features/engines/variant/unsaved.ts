import { type RefObject, useEffect } from "react";
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

/** What is asked before unsaved changes are left. */
export function leaveQuestion() {
  const { leave, leaveBody, leaveAction } = words.engines.variant;
  return { title: leave, body: leaveBody, action: leaveAction };
}

/**
 * Asks before a link, a reload or closing the window leaves unsaved changes. `told` says it to
 * whoever shows the editor, which asks before it shows something else.
 */
export function useLeaveGuard(unsaved: boolean, told: RefObject<boolean>) {
  const { confirm } = useFeedback();
  useEffect(() => {
    told.current = unsaved;
    return () => {
      told.current = false;
    };
  }, [unsaved, told]);
  useEffect(() => {
    if (!unsaved) return;
    const closing = (event: BeforeUnloadEvent) => event.preventDefault();
    const clicked = (event: MouseEvent) => {
      const link = linkOf(event);
      if (!link) return;
      event.preventDefault();
      event.stopPropagation();
      void confirm(leaveQuestion()).then((leaves) => {
        if (leaves) location.hash = link.hash;
      });
    };
    addEventListener("beforeunload", closing);
    document.addEventListener("click", clicked, true);
    return () => {
      removeEventListener("beforeunload", closing);
      document.removeEventListener("click", clicked, true);
    };
  }, [unsaved, confirm]);
}

/** The link to another page of the dashboard that a click follows here; null for anything else. */
function linkOf(event: MouseEvent): HTMLAnchorElement | null {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey) return null;
  const link = event.target instanceof Element ? event.target.closest("a") : null;
  return link?.getAttribute("href")?.startsWith("#") && link.hash !== location.hash ? link : null;
}

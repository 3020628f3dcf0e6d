import { useEffect, useState } from "react";
import type { Config, Entry } from "./Parameters";
import { type Kept, keepDraft, keptDraft } from "./unsaved";

/** The saved configuration with what was changed since; changes outlive a reload. */
export function useDraft(saved: Config | undefined, catalogue: readonly Entry[] | undefined) {
  const [kept, setKept] = useState<Kept | null>(keptDraft);
  const [restored, setRestored] = useState(kept !== null);
  const base = saved && JSON.stringify(saved);
  const draft = kept?.draft ?? saved ?? null;
  const changed = kept !== null && base !== undefined && JSON.stringify(kept.draft) !== base;
  const discard = () => {
    setKept(null);
    setRestored(false);
  };
  useEffect(() => {
    // Without the catalogue it is not known what is secret.
    if (catalogue && base !== undefined) keepDraft(changed ? kept : null, catalogue);
  }, [kept, changed, base, catalogue]);
  return {
    draft,
    changed,
    /** It is of before a reload, or of before another tab was shown. */
    restored: restored && changed,
    /** Somebody has saved another configuration since the changes began. */
    overtaken: changed && kept.base !== base,
    change: (config: Config) => setKept({ base: kept?.base ?? base ?? "", draft: config }),
    discard,
  };
}

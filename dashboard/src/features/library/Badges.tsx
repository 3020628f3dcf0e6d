import type { MatchEntry } from "../../api/capture";
import { words } from "../../messages";
import { Badge } from "../../ui/basics";
import { isProcessed, wasInterrupted } from "./list";

/** What one should know of a match at a glance. */
export function Badges({ entry, running }: { entry: MatchEntry; running: boolean }) {
  const { badges } = words.library;
  const gaps = entry.gaps ?? 0;
  return (
    <span className="row">
      {running && <Badge tone="bad">{badges.recording}</Badge>}
      {!running && wasInterrupted(entry) && <Badge tone="warn">{badges.interrupted}</Badge>}
      {gaps > 0 && <Badge tone="warn">{badges.gaps(gaps)}</Badge>}
      {entry.verified && <Badge tone="good">{badges.verified}</Badge>}
      {isProcessed(entry) && <Badge tone="info">{badges.processed}</Badge>}
      {entry.protected && <Badge>{badges.protected}</Badge>}
    </span>
  );
}

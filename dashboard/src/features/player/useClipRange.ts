import { clock } from "../../lib/format";
import { useKeptInTab } from "../../lib/kept";
import { words } from "../../messages";
import type { Range } from "./clips";

const NOT_SET: Range = { from: null, to: null };

/** The clip of a match that is being set; its ends are set where playing is. A reload keeps it. */
export function useClipRange(matchId: string, at: number, announce: (text: string) => void) {
  const [range, setRange] = useKeptInTab<Range>(`clip of ${matchId}`, NOT_SET);
  const start = () => {
    setRange({ from: at, to: range.to !== null && range.to > at ? range.to : null });
    announce(words.player.clip.startSet(clock(at)));
  };
  const end = () => {
    setRange({ from: range.from, to: at });
    announce(words.player.clip.endSet(clock(at)));
  };
  return { range, setRange, start, end };
}

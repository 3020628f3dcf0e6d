import { useState } from "react";
import { clock } from "../../lib/format";
import { words } from "../../messages";
import type { Range } from "./clips";

/** The clip that is being set; its ends are set where playing is. */
export function useClipRange(at: number, announce: (text: string) => void) {
  const [range, setRange] = useState<Range>({ from: null, to: null });
  const start = () => {
    setRange(({ to }) => ({ from: at, to: to !== null && to > at ? to : null }));
    announce(words.player.clip.startSet(clock(at)));
  };
  const end = () => {
    setRange(({ from }) => ({ from, to: at }));
    announce(words.player.clip.endSet(clock(at)));
  };
  return { range, setRange, start, end };
}

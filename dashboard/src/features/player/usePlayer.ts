import { type RefObject, useMemo, useRef, useState } from "react";
import { useHashState } from "../../lib/hashLocation";
import { useMedia } from "../../lib/useMedia";
import { words } from "../../messages";
import type { Subject } from "./ClipTools";
import { type Source, viewOf, viewsOf } from "./sources";
import { useAnnouncement } from "./useAnnouncement";
import { useClipRange } from "./useClipRange";
import { useFullscreen, useIdle } from "./useFullscreen";
import { useMarking } from "./useMarking";
import { usePlayback } from "./usePlayback";
import { useKeysEnabled, usePlayerKeys } from "./usePlayerKeys";
import { useStartTime, useUrlTime } from "./useUrlTime";

export type Player = ReturnType<typeof usePlayer>;
type Match = { matchId: string; title: string; duration: number; sources: Source[] };

const PHONE = "(max-width: 700px), (max-height: 500px) and (pointer: coarse)";

/** Everything that a player of a match knows and does; its views only show it. */
export function usePlayer(
  { matchId, title, duration, sources }: Match,
  container: RefObject<HTMLElement | null>,
) {
  const phone = useMedia(PHONE);
  const view = useView(sources, phone);
  const playback = usePlayback(matchId, duration, useStartTime());
  useUrlTime(playback);
  const at = Math.min(playback.at, playback.lasts);
  const { told, announce } = useAnnouncement();
  const marking = useMarking(matchId, announce);
  const clip = useClipRange(matchId, at, announce);
  const full = useFullscreen(container, () => announce(words.player.noFull));
  const idle = useIdle(full.on && playback.playing);
  const tools = useTools(phone || full.on);
  const help = useHelp();
  const mark = () => marking.add.mutate(at);
  usePlayerKeys(
    {
      toggle: playback.toggle,
      back: () => playback.step(-10),
      on: () => playback.step(10),
      stepBack: () => playback.step(-5),
      stepOn: () => playback.step(5),
      frameBack: () => playback.frame(-1),
      frameOn: () => playback.frame(1),
      start: clip.start,
      end: clip.end,
      mark,
      full: full.toggle,
      help: help.show,
    },
    help.enabled,
  );
  const subject = useSubject(matchId, title, sources, view.shown);
  return { view, playback, at, told, marking, mark, clip, full, idle, tools, help, subject };
}

const NOTHING: Source[] = [];

/** What is shown, as the page's address keeps it. */
function useView(sources: Source[], phone: boolean) {
  const [asked, choose] = useHashState("view");
  const views = useMemo(() => viewsOf(sources), [sources]);
  const chosen = viewOf(views, asked, phone);
  return { views, chosen, choose, shown: chosen?.shows ?? NOTHING };
}

/** What clips are cut from: the picture that is shown, or the first of them, until one is chosen. */
function useSubject(matchId: string, title: string, sources: Source[], shown: Source[]): Subject {
  const [chosen, setCamera] = useState<string | null>(null);
  const shownId = shown[0]?.id ?? null;
  const [last, setLast] = useState(shownId);
  if (last !== shownId) {
    setLast(shownId);
    setCamera(null);
  }
  const there = sources.some(({ id }) => id === chosen);
  const camera = (there ? chosen : shownId) ?? "cam0";
  return useMemo(
    () => ({ matchId, title, sources, shown, camera, setCamera }),
    [matchId, title, sources, shown, camera],
  );
}

/** Whether clip and markers lie in a sheet over the player, and whether that is open. */
function useTools(inSheet: boolean) {
  const [open, setOpen] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  return { inSheet, open: inSheet && open, setOpen, opener };
}

/** The list of keys, and whether they are used. */
function useHelp() {
  const [open, setOpen] = useState(false);
  const [enabled, setEnabled] = useKeysEnabled();
  return { open, show: () => setOpen(true), close: () => setOpen(false), enabled, setEnabled };
}

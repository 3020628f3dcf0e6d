import { type RefObject, useEffect, useRef, useState } from "react";
import { useMedia } from "../../lib/useMedia";

const LANDSCAPE_PHONE = "(orientation: landscape) and (max-height: 500px) and (pointer: coarse)";

/** What the video of an iPhone has instead of the Fullscreen API. */
type PhoneVideo = HTMLVideoElement & { webkitEnterFullscreen?: () => void };

/**
 * Whether a player fills the screen, and what changes that: by the browser's full screen, or, on a
 * phone in landscape, by filling the page until it is left. `refused` is told where neither works.
 */
export function useFullscreen(container: RefObject<HTMLElement | null>, refused: () => void) {
  const [browser, setBrowser] = useState(false);
  const [left, setLeft] = useState(false);
  const landscape = useMedia(LANDSCAPE_PHONE);
  useEffect(() => {
    const changed = () => {
      const element = document.fullscreenElement ?? null;
      setBrowser(element !== null && element === container.current);
    };
    document.addEventListener("fullscreenchange", changed);
    return () => document.removeEventListener("fullscreenchange", changed);
  }, [container]);
  useEffect(() => {
    if (!landscape) setLeft(false);
  }, [landscape]);
  const on = browser || (landscape && !left);
  const toggle = () => {
    setLeft(on);
    const change = on ? leave() : enter(container.current);
    change.catch(refused);
  };
  return { on, toggle };
}

async function leave() {
  if (document.fullscreenElement) await document.exitFullscreen();
}

async function enter(container: HTMLElement | null) {
  if (container && document.fullscreenEnabled) {
    await container.requestFullscreen();
    return;
  }
  const video = container?.querySelector<PhoneVideo>("video");
  if (!video?.webkitEnterFullscreen) throw new Error("no full screen");
  video.webkitEnterFullscreen();
}

const IDLE_MS = 3000;
const SIGNS = ["pointermove", "pointerdown", "keydown"] as const;

/**
 * Whether nobody has touched anything for a while; only where it is of interest. `ended` says whether
 * the newest press was what ended it.
 */
export function useIdle(active: boolean) {
  const [on, setOn] = useState(false);
  const ended = useRef(false);
  const isOn = useRef(false);
  useEffect(() => {
    if (!active) return;
    let timer: ReturnType<typeof setTimeout>;
    const set = (idle: boolean) => {
      isOn.current = idle;
      setOn(idle);
    };
    const wake = (event?: Event) => {
      if (event?.type === "pointerdown") ended.current = isOn.current;
      clearTimeout(timer);
      set(false);
      timer = setTimeout(() => set(true), IDLE_MS);
    };
    wake();
    for (const name of SIGNS) document.addEventListener(name, wake, true);
    return () => {
      for (const name of SIGNS) document.removeEventListener(name, wake, true);
      clearTimeout(timer);
      ended.current = false;
      set(false);
    };
  }, [active]);
  return { on, ended };
}

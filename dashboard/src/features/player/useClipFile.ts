import { useEffect, useRef, useState } from "react";
import { namedPath } from "../../api/capture";
import { fetchWhole, save } from "../../lib/download";

const TYPE = "video/mp4";

/** What becomes of a clip; `share` of it is here, null while the server cuts. */
export type ClipState =
  | { step: "idle" }
  | { step: "loading"; share: number | null }
  | { step: "ready"; file: File }
  | { step: "saved" | "started" | "tooLarge" }
  | { step: "failed"; error: unknown };

/** Whether this device hands video files to other programs. */
export function canShareClips(): boolean {
  const probe = new File([], "clip.mp4", { type: TYPE });
  return navigator.canShare?.({ files: [probe] }) ?? false;
}

/** Has the server cut a clip, with progress, and saves or shares it; a second press gives it up. */
export function useClipFile(url: string, name: string) {
  const [state, setState] = useState<ClipState>({ step: "idle" });
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  const share = async (file: File) => {
    try {
      await navigator.share({ files: [file], title: name.replace(/\.mp4$/, "") });
      setState({ step: "idle" });
    } catch (error) {
      setState(afterShare(error, file));
    }
  };
  const run = async (then: "save" | "share") => {
    if (running.current) {
      running.current.abort();
      return;
    }
    const controller = new AbortController();
    running.current = controller;
    setState({ step: "loading", share: null });
    const progress = (done: number) => setState({ step: "loading", share: done });
    try {
      const whole = await fetchWhole(url, progress, controller.signal);
      if (whole && then === "share") await share(new File([whole], name, { type: TYPE }));
      else setState(saveAs(whole, url, name, then));
    } catch (error) {
      setState(controller.signal.aborted ? { step: "idle" } : { step: "failed", error });
    } finally {
      running.current = null;
    }
  };
  return { state, run, share };
}

/** Saves a clip; one that is not here is left to the browser, which cannot share it. */
function saveAs(whole: Blob | null, url: string, name: string, then: "save" | "share"): ClipState {
  save(whole ?? namedPath(url, name), name);
  if (whole) return { step: "saved" };
  return { step: then === "share" ? "tooLarge" : "started" };
}

/**
 * What follows a share that did not happen. A tap allows one for some seconds only: where cutting
 * took longer, it needs another tap.
 */
function afterShare(error: unknown, file: File): ClipState {
  const name = error instanceof DOMException ? error.name : "";
  if (name === "AbortError") return { step: "idle" };
  return name === "NotAllowedError" ? { step: "ready", file } : { step: "failed", error };
}

import { useCallback, useSyncExternalStore } from "react";

/** A phone, upright or on its side; the style sheets have the same words. */
export const NARROW = "(max-width: 860px), (max-height: 480px)";

/** Whether a media query holds, now and whenever that changes. */
export function useMedia(query: string): boolean {
  return useSyncExternalStore(
    useCallback(
      (changed) => {
        const list = matchMedia(query);
        list.addEventListener("change", changed);
        return () => list.removeEventListener("change", changed);
      },
      [query],
    ),
    () => matchMedia(query).matches,
  );
}

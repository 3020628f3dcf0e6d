import { useMemo, useRef } from "react";

const INTERACTIVE = "button, a[href], input, select, textarea, summary, [tabindex]";
let last: HTMLElement | null = null;

/** Keep what was used last; a menu is gone when what it opened closes, its button is not. */
function note({ target }: Event) {
  const used = target instanceof Element ? target.closest<HTMLElement>(INTERACTIVE) : null;
  if (used && !used.closest("[role=menu], [role=listbox]")) last = used;
}

document.addEventListener("focusin", note);
// Some browsers do not focus a button that is clicked.
document.addEventListener("pointerdown", note, true);

/** The page of the hash, without what it keeps behind its `?`. */
const pathNow = () => location.hash.split("?", 1)[0] ?? "";

/**
 * Handlers for a Radix dialog without a trigger: focus returns to what opened it, or goes to the
 * content where that is gone or the dialog led to another page.
 */
export function useReturnFocus() {
  const opener = useRef<{ element: HTMLElement | null; path: string }>(null);
  return useMemo(
    () => ({
      onOpenAutoFocus: () => {
        opener.current = { element: last, path: pathNow() };
      },
      onCloseAutoFocus: (event: Event) => {
        event.preventDefault();
        const { element = null, path } = opener.current ?? {};
        const there = element?.isConnected && path === pathNow();
        const back = there ? element : document.querySelector<HTMLElement>("main");
        back?.focus({ preventScroll: true });
      },
    }),
    [],
  );
}

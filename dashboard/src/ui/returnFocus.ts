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

/** Handlers for a Radix dialog without a trigger: focus returns to what opened it. */
export function useReturnFocus() {
  const opener = useRef<HTMLElement | null>(null);
  return useMemo(
    () => ({
      onOpenAutoFocus: () => {
        opener.current = last;
      },
      onCloseAutoFocus: (event: Event) => {
        event.preventDefault();
        const back = opener.current?.isConnected ? opener.current : document.querySelector("main");
        back?.focus({ preventScroll: true });
      },
    }),
    [],
  );
}

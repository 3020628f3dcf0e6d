import { useState } from "react";
import { useMedia } from "../../lib/useMedia";

export type Layout = "cards" | "table";

const NAME = "touchline-matches-layout";
/** Narrower than this a table of the matches does not fit. */
const NARROW = "(max-width: 599px)";

function savedLayout(): Layout {
  try {
    return localStorage.getItem(NAME) === "table" ? "table" : "cards";
  } catch {
    return "cards"; // a browser that keeps nothing
  }
}

/** How matches are shown on this device, and what changes it; null where there is no choice. */
export function useLayout(): [Layout, ((chosen: Layout) => void) | null] {
  const narrow = useMedia(NARROW);
  const [chosen, setChosen] = useState(savedLayout);
  const choose = (layout: Layout) => {
    setChosen(layout);
    try {
      localStorage.setItem(NAME, layout);
    } catch {
      // It holds until the page is closed.
    }
  };
  return narrow ? ["cards", null] : [chosen, choose];
}

import { useSyncExternalStore } from "react";

export type Theme = "system" | "light" | "dark";

const NAME = "touchline-theme";
const device = matchMedia("(prefers-color-scheme: dark)");
const listeners = new Set<() => void>();

/** What was chosen, also where the browser keeps nothing; null as long as nothing was. */
let chosen: Theme | null = null;

export function savedTheme(): Theme {
  if (chosen !== null) return chosen;
  try {
    const saved = localStorage.getItem(NAME);
    return saved === "light" || saved === "dark" ? saved : "system";
  } catch {
    return "system"; // a browser that keeps nothing
  }
}

/** Show the page in these colours from now on; `system` are the device's, whenever it changes. */
export function applyTheme(theme: Theme) {
  chosen = theme;
  show(theme);
  try {
    localStorage.setItem(NAME, theme);
  } catch {
    // It holds until the page is closed.
  }
  for (const listener of listeners) listener();
}

/** The colours that are chosen, wherever on the page that is done. */
export function useTheme(): Theme {
  return useSyncExternalStore((changed) => {
    listeners.add(changed);
    return () => listeners.delete(changed);
  }, savedTheme);
}

function show(theme: Theme) {
  const ofDevice = device.matches ? "dark" : "light";
  document.documentElement.dataset.theme = theme === "system" ? ofDevice : theme;
}

device.addEventListener("change", () => show(savedTheme()));

export type Theme = "system" | "light" | "dark";

const NAME = "touchline-theme";
const device = matchMedia("(prefers-color-scheme: dark)");

export function savedTheme(): Theme {
  try {
    const saved = localStorage.getItem(NAME);
    return saved === "light" || saved === "dark" ? saved : "system";
  } catch {
    return "system"; // a browser that keeps nothing
  }
}

/** Show the page in these colours from now on; `system` are the device's, whenever it changes. */
export function applyTheme(theme: Theme) {
  show(theme);
  try {
    localStorage.setItem(NAME, theme);
  } catch {
    // It holds until the page is closed.
  }
}

function show(theme: Theme) {
  const ofDevice = device.matches ? "dark" : "light";
  document.documentElement.dataset.theme = theme === "system" ? ofDevice : theme;
}

device.addEventListener("change", () => show(savedTheme()));

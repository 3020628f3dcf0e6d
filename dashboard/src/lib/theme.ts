export type Theme = "system" | "light" | "dark";

const NAME = "touchline-theme";

export function savedTheme(): Theme {
  try {
    const saved = localStorage.getItem(NAME);
    return saved === "light" || saved === "dark" ? saved : "system";
  } catch {
    return "system"; // a browser that keeps nothing
  }
}

export function applyTheme(theme: Theme) {
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(NAME, theme);
  } catch {
    // It holds until the page is closed.
  }
}

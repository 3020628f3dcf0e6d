import { en } from "./en";

export type Messages = typeof en;

/** The languages of the dashboard, each by its own name. */
export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const NAME = "touchline-language";

/** The texts in the language that is shown. Read them while rendering: a change renders all anew. */
export let words: Messages = en;

/** The language that is shown, as `lang` of HTML and for the formats of `Intl`. */
export let language: Language = "en";

/** The language that was chosen on this device, or else the first of the browser's that exists. */
export function preferredLanguage(): Language {
  let saved: string | null = null;
  try {
    saved = localStorage.getItem(NAME);
  } catch {
    // A browser that keeps nothing.
  }
  const wanted = [saved ?? "", ...navigator.languages].map((tag) => tag.slice(0, 2).toLowerCase());
  return (wanted.find((tag) => Object.hasOwn(LANGUAGES, tag)) as Language | undefined) ?? "en";
}

/** Load a language's texts and show them from the next rendering on. */
export async function loadLanguage(wanted: Language) {
  words = wanted === "de" ? (await import("./de")).de : en;
  language = wanted;
  document.documentElement.lang = wanted;
}

/** Keep the choice of a language on this device. */
export function saveLanguage(chosen: Language) {
  try {
    localStorage.setItem(NAME, chosen);
  } catch {
    // It holds until the page is closed.
  }
}

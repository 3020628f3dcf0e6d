import { afterEach, expect, test } from "vitest";
import { language, loadLanguage, type Messages, words } from ".";
import { de } from "./de";
import { en } from "./en";

afterEach(() => loadLanguage("en"));

/** The path and the text of each message but those with arguments. */
function texts(messages: unknown, path = ""): [string, string][] {
  if (typeof messages === "string") return [[path, messages]];
  if (typeof messages !== "object" || messages === null) return [];
  return Object.entries(messages).flatMap(([key, value]) => texts(value, `${path}.${key}`));
}

test("a language is shown from its loading on, and the page says which", async () => {
  await loadLanguage("de");
  expect(words).toBe(de);
  expect(language).toBe("de");
  expect(document.documentElement.lang).toBe("de");
});

test.each([
  ["en", en],
  ["de", de],
] as [string, Messages][])("no text is empty or has spaces around it (%s)", (_, messages) => {
  for (const [path, text] of texts(messages)) {
    expect(text, path).not.toBe("");
    expect(text, path).toBe(text.trim());
  }
});

test("sentences are translated", () => {
  const english = new Map(texts(en));
  const same = texts(de).filter(
    ([path, text]) => text.split(" ").length > 2 && english.get(path) === text,
  );
  expect(same).toEqual([]);
});

import { afterEach, expect, test } from "vitest";
import { ServerError } from "../api/http";
import { loadLanguage } from "../messages";
import { errorText, errorWords } from "./errorWords";

afterEach(() => loadLanguage("en"));

test("a code is told in words, with what to do and the server's sentence as details", async () => {
  const error = new ServerError("Recording derby is protected", 409, "match_protected");
  expect(errorWords(error)).toEqual({
    what: "This match is protected.",
    todo: "Remove its protection first.",
    details: "Recording derby is protected",
  });
  expect(errorText(error)).toBe("This match is protected. Remove its protection first.");
  await loadLanguage("de");
  expect(errorText(error)).toBe("Dieses Spiel ist geschützt. Zuerst den Schutz aufheben.");
});

test("a code that is not known is told in the server's sentence", () => {
  const error = new ServerError("The goal has no net", 409, "constructor");
  expect(errorWords(error)).toEqual({ what: "The goal has no net" });
});

test.each([
  [0, null, "The server cannot be reached.", undefined],
  [0, "no_answer", "The server did not answer in time.", undefined],
  [401, null, "You are signed out.", "said"],
  [500, null, "Something went wrong on the server.", "said"],
  [502, null, "The server cannot do this at the moment.", "said"],
  [404, null, "said", undefined],
])("status %i with code %s", (status, code, what, details) => {
  const told = errorWords(new ServerError("said", status, code));
  expect(told.what).toBe(what);
  expect(told.details).toBe(details);
});

test("other errors are told in their own words, and nothing as nothing", () => {
  expect(errorWords(new Error("The file is no picture"))).toEqual({
    what: "The file is no picture",
  });
  expect(errorWords("x").what).toBe("Something went wrong.");
  expect(errorWords(new Error("")).what).toBe("Something went wrong.");
});

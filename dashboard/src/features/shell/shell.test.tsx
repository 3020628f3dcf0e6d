import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Router, useLocation } from "wouter";
import { useExactHash } from "../../lib/hashLocation";
import { loadLanguage } from "../../messages";
import { LanguageProvider, useLanguage } from "../../messages/LanguageProvider";
import { FeedbackProvider } from "../../ui/feedback";
import { Navigation } from "./Navigation";
import { SignIn } from "./SignIn";

vi.setConfig({ testTimeout: 60_000 });
const patient = { timeout: 20_000 };

const screens = vi.hoisted(() => {
  const state = { narrow: false };
  globalThis.matchMedia = ((query: string) => ({
    matches: query.includes("width") && state.narrow,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  })) as unknown as typeof matchMedia;
  // A browser resolves paths against the page; Node's Request does not.
  const Real = globalThis.Request;
  globalThis.Request = class extends Real {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === "string" ? new URL(input, window.location.origin) : input, init);
    }
  };
  return state;
});

beforeEach(() => {
  location.hash = "#/";
  localStorage.clear();
});
afterEach(async () => {
  cleanup();
  vi.unstubAllGlobals();
  await loadLanguage("en");
});

function Page() {
  useLanguage();
  const [path] = useLocation();
  return (
    <>
      <Navigation location={path} keyNeeded version="1.2.3" toContent={() => undefined} />
      <main tabIndex={-1}>{path}</main>
    </>
  );
}

function show(narrow: boolean, page = <Page />) {
  screens.narrow = narrow;
  render(
    <QueryClientProvider client={new QueryClient()}>
      <LanguageProvider>
        <FeedbackProvider>
          <Router hook={useExactHash}>{page}</Router>
        </FeedbackProvider>
      </LanguageProvider>
    </QueryClientProvider>,
  );
}

const links = () =>
  within(screen.getByRole("navigation", { name: "Pages" }))
    .getAllByRole("link")
    .map((link) => link.textContent);

test("a desk has all pages, the language, the colours, signing out and the version", () => {
  show(false);
  expect(links()).toEqual(["Match day", "Preview", "Matches", "Panorama", "Engines", "System"]);
  expect(screen.getByRole("link", { current: "page" }).textContent).toBe("Match day");
  expect(screen.getByRole("group", { name: "Language" })).toBeDefined();
  expect(screen.getByRole("group", { name: "Colours" })).toBeDefined();
  expect(screen.getByRole("button", { name: "Sign out" })).toBeDefined();
  expect(screen.getByText("Version 1.2.3")).toBeDefined();
});

test("a phone has four entries, and the rest behind the last one", async () => {
  show(true);
  expect(links()).toEqual(["Match day", "Matches", "Preview"]);
  const more = screen.getByRole("button", { name: "More" });
  expect(more.getAttribute("aria-expanded")).toBe("false");
  fireEvent.click(more);
  const sheet = screen.getByRole("dialog", { name: "More" });
  const others = within(sheet).getAllByRole("link");
  expect(others.map((link) => link.textContent)).toEqual(["Panorama", "Engines", "System"]);
  expect(within(sheet).getByRole("button", { name: "Sign out" })).toBeDefined();
  expect(within(sheet).getByText("Version 1.2.3")).toBeDefined();

  fireEvent.click(others[1] as HTMLElement);
  await vi.waitFor(() => expect(screen.queryByRole("dialog")).toBeNull(), patient);
  expect(location.hash).toBe("#/engines");
  await vi.waitFor(() => expect(document.activeElement?.tagName).toBe("MAIN"), patient);
  expect(screen.getByRole("button", { name: "More" }).getAttribute("aria-current")).toBe("true");
});

test("whoever closes what is behind More is where they were", async () => {
  show(true);
  const more = screen.getByRole("button", { name: "More" });
  more.focus();
  fireEvent.click(more);
  fireEvent.keyDown(screen.getByRole("dialog"), { key: "Escape" });
  await vi.waitFor(() => expect(document.activeElement).toBe(more), patient);
});

test("another language is shown at once, in what is open, and is kept", async () => {
  show(true);
  fireEvent.click(screen.getByRole("button", { name: "More" }));
  fireEvent.click(screen.getByRole("radio", { name: "Deutsch" }));
  const sheet = await screen.findByRole("dialog", { name: "Mehr" }, patient);
  expect(within(sheet).getByRole("button", { name: "Abmelden" })).toBeDefined();
  expect(document.documentElement.lang).toBe("de");
  expect(localStorage.getItem("touchline-language")).toBe("de");
});

test("colours are chosen", () => {
  show(false);
  fireEvent.click(screen.getByRole("radio", { name: "Dark" }));
  expect(document.documentElement.dataset.theme).toBe("dark");
  expect(screen.getByRole<HTMLInputElement>("radio", { name: "Dark" }).checked).toBe(true);
  fireEvent.click(screen.getByRole("radio", { name: "Automatic" }));
  expect(document.documentElement.dataset.theme).toBe("light");
});

test("a wrong key is told under its field, which is ready for the next one", async () => {
  vi.stubGlobal("fetch", async () =>
    Response.json({ detail: "invalid token", code: "wrong_key" }, { status: 403 }),
  );
  show(false, <SignIn />);
  const field = screen.getByLabelText<HTMLInputElement>("Key");
  fireEvent.change(field, { target: { value: "wrong" } });
  fireEvent.click(screen.getByRole("button", { name: "Sign in" }));
  const told = await screen.findByRole("alert", {}, patient);
  expect(told.textContent).toBe("That is not the server's key.");
  expect(field.getAttribute("aria-describedby")).toContain(told.id);
  await vi.waitFor(() => expect(field.value).toBe(""), patient);
  expect(document.activeElement).toBe(field);
});

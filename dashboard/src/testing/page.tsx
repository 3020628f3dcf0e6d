import "./browser";
import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render } from "@testing-library/react";
import type { ReactNode } from "react";
import { afterEach, beforeEach, vi } from "vitest";
import { Router } from "wouter";
import { useExactHash } from "../lib/hashLocation";
import { LanguageProvider } from "../messages/LanguageProvider";
import { FeedbackProvider } from "../ui/feedback";
import { channels } from "./live";

type Answer = unknown | ((body: unknown, url: URL) => unknown);

/** What the server answers, by method and path: a value for 200, or a Response. */
export const routes: Record<string, Answer> = {};
/** What it was asked for. */
export const asked: { what: string; body: unknown; query: string }[] = [];

beforeEach(() => {
  location.hash = "#/";
  sessionStorage.clear();
  asked.length = 0;
  for (const store of [routes, channels]) for (const name of Object.keys(store)) delete store[name];
  vi.stubGlobal("fetch", async (input: Request | string) => {
    const request = new Request(input);
    const url = new URL(request.url);
    const what = `${request.method} ${url.pathname}`;
    const text = await request.text();
    const body: unknown = text ? JSON.parse(text) : null;
    asked.push({ what, body, query: url.search });
    if (!Object.hasOwn(routes, what)) return Response.json({ detail: "Not here" }, { status: 404 });
    const answer = routes[what];
    const found = typeof answer === "function" ? answer(body, url) : answer;
    return found instanceof Response ? found : Response.json(found);
  });
});

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

/** Shows a part of the page, at this place of it. */
export function show(part: ReactNode, hash = "#/") {
  location.hash = hash;
  return render(
    <QueryClientProvider
      client={new QueryClient({ defaultOptions: { queries: { retry: false } } })}
    >
      <LanguageProvider>
        <FeedbackProvider>
          <Router hook={useExactHash}>{part}</Router>
        </FeedbackProvider>
      </LanguageProvider>
    </QueryClientProvider>,
  );
}

/** What the address keeps behind its question mark. */
export const kept = (name: string) =>
  new URLSearchParams(location.hash.split("?")[1] ?? "").get(name);

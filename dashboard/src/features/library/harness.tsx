import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import type { ReactNode } from "react";
import { vi } from "vitest";
import { Router } from "wouter";
import type { MatchEntry } from "../../api/capture";
import { useExactHash } from "../../lib/hashLocation";
import { FeedbackProvider } from "../../ui/feedback";

/** Tests wait so long for what the page shows, whatever the machine does meanwhile. */
export const PATIENT = { timeout: 20_000 };

type Call = { route: string; body: unknown };
type Answer = unknown | ((body: unknown) => unknown);

/** A server that answers as a test says, and notes what it was asked for. */
export class FakeServer {
  readonly calls: Call[] = [];

  constructor(private readonly answers: Record<string, Answer>) {
    vi.stubGlobal("fetch", async (request: Request) => {
      const text = await request.text();
      const body = text ? JSON.parse(text) : null;
      const route = `${request.method} ${decodeURIComponent(new URL(request.url).pathname)}`;
      this.calls.push({ route, body });
      if (!(route in this.answers))
        return Response.json({ detail: `no ${route}` }, { status: 404 });
      const answer = this.answers[route];
      const found = typeof answer === "function" ? answer(body) : answer;
      return found instanceof Response ? found : Response.json(found);
    });
  }

  /** The bodies that were sent to a route. */
  sent(route: string): unknown[] {
    return this.calls.filter((call) => call.route === route).map(({ body }) => body);
  }
}

/** A browser as pages expect it, of a narrow screen or a wide one. */
export function stubBrowser({ narrow = false } = {}) {
  vi.stubGlobal("matchMedia", () => ({
    matches: narrow,
    addEventListener: () => undefined,
    removeEventListener: () => undefined,
  }));
  vi.stubGlobal(
    "ResizeObserver",
    class {
      observe() {}
      unobserve() {}
      disconnect() {}
    },
  );
  Element.prototype.scrollIntoView = vi.fn();
}

export const matchEntry = (more: Partial<MatchEntry> = {}): MatchEntry => ({
  files: [
    { file: "cam0", type: "segmented", size_mb: 60, created_at: 1, segment_count: 1 },
    { file: "cam1", type: "segmented", size_mb: 60, created_at: 1, segment_count: 1 },
  ],
  total_size_mb: 120,
  camera_count: 2,
  segments_count: 2,
  created_at: 1_795_000_000,
  started_at: 1_795_000_000,
  duration_s: 5400,
  ...more,
});

/** A page of the library at a place of its address. */
export function showAt(hash: string, page: ReactNode) {
  location.hash = hash;
  const queries = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <QueryClientProvider client={queries}>
      <FeedbackProvider>
        <Router hook={useExactHash}>{page}</Router>
      </FeedbackProvider>
    </QueryClientProvider>,
  );
}

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CopyLink } from "./CopyLink";
import { FeedbackProvider } from "./feedback";

// A browser resolves paths against the page; Node's Request does not.
vi.hoisted(() => {
  const Real = globalThis.Request;
  globalThis.Request = class extends Real {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === "string" ? new URL(input, window.location.origin) : input, init);
    }
  };
});

vi.setConfig({ testTimeout: 60_000 });
const patient = { timeout: 20_000 };

const PATH = "/api/v1/recordings/derby/vod/cam0.m3u8";
const asked: { url: string; body: unknown }[] = [];
let answer: () => Response;

beforeEach(() => {
  asked.length = 0;
  answer = () =>
    Response.json({ url: "http://inside:8000/x", path: `${PATH}?signature=abc`, expires_in_s: 60 });
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push({ url: new URL(request.url).pathname, body: await request.json() });
    return answer();
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
  Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true });
});

function show() {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <FeedbackProvider>
        <CopyLink path={PATH} label="Camera 0" />
      </FeedbackProvider>
    </QueryClientProvider>,
  );
  fireEvent.click(screen.getByRole("button", { name: "Copy link to Camera 0" }));
}

const link = `${window.location.origin}${PATH}?signature=abc`;

test("the signed link is copied, by the name under which the page was opened", async () => {
  const writeText = vi.fn(async (_text: string) => undefined);
  Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });
  show();
  await vi.waitFor(() => expect(writeText).toHaveBeenCalledWith(link), patient);
  expect(asked).toEqual([{ url: "/api/v1/links", body: { path: PATH } }]);
  await vi.waitFor(() => expect(screen.getByText(/^Link copied/)).toBeDefined(), patient);
  expect(screen.queryByLabelText("Link to Camera 0")).toBeNull();
});

test("where a page has no clipboard the link is shown", async () => {
  show();
  const field = await screen.findByLabelText<HTMLInputElement>("Link to Camera 0", {}, patient);
  expect(field.value).toBe(link);
});

test("a refusal is told in words: the catalogue's, or else the server's", async () => {
  answer = () => Response.json({ detail: "missing bearer token" }, { status: 401 });
  show();
  await screen.findByText("You are signed out. Sign in again.", {}, patient);
  cleanup();
  answer = () => Response.json({ detail: "This file has no link" }, { status: 404 });
  show();
  await screen.findByText("This file has no link", {}, patient);
});

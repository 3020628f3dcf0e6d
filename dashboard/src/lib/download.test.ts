import { afterEach, expect, test, vi } from "vitest";
import { ServerError } from "../api/http";
import { fetchWhole, MOST_BYTES } from "./download";

afterEach(() => vi.unstubAllGlobals());

const serving = (body: BodyInit | null, headers: Record<string, string>, status = 200) =>
  vi.stubGlobal("fetch", async () => new Response(body, { status, headers }));

/** Bytes that come one after the other; after the last one the connection breaks where it says so. */
const stream = (breaks: boolean) =>
  new ReadableStream<Uint8Array>({
    start(to) {
      to.enqueue(new Uint8Array([1, 2]));
      to.enqueue(new Uint8Array([3, 4]));
      if (breaks) to.error(new TypeError("network error"));
      else to.close();
    },
  });

test("a file is fetched with progress, and keeps its type", async () => {
  serving(stream(false), { "content-length": "4", "content-type": "video/mp4" });
  const shares: number[] = [];
  const whole = await fetchWhole("http://here/clip", (share) => shares.push(share));
  expect([whole?.size, whole?.type]).toEqual([4, "video/mp4"]);
  expect(shares).toEqual([0.5, 1]);
});

test.each([
  ["too large", String(MOST_BYTES + 1)],
  ["of no known size", "0"],
])("a file that is %s is left to the browser", async (_, size) => {
  serving("x", { "content-length": size });
  expect(await fetchWhole("http://here/zip", () => undefined)).toBeNull();
});

test("what the server refuses is told with its status", async () => {
  serving(JSON.stringify({ detail: "no footage" }), {}, 404);
  const failed = fetchWhole("http://here/clip", () => undefined);
  await expect(failed).rejects.toMatchObject({ message: "no footage", status: 404 });
});

test("a server that is away, and one that goes away, are told apart", async () => {
  vi.stubGlobal("fetch", () => Promise.reject(new TypeError("Failed to fetch")));
  const away = fetchWhole("http://here/clip", () => undefined);
  await expect(away).rejects.toBeInstanceOf(ServerError);
  serving(stream(true), { "content-length": "4" });
  const broken = fetchWhole("http://here/clip", () => undefined);
  await expect(broken).rejects.toThrow("The download broke off. Try again.");
});

test("what is given up is no error of the server", async () => {
  const controller = new AbortController();
  vi.stubGlobal("fetch", async () => {
    controller.abort();
    throw new DOMException("aborted", "AbortError");
  });
  const failed = fetchWhole("http://here/clip", () => undefined, controller.signal);
  await expect(failed).rejects.toMatchObject({ name: "AbortError" });
});

import { refusal, unreached } from "../api/http";
import { words } from "../messages";

/** What may be gathered in memory; anything larger is left to the browser's own downloads. */
export const MOST_BYTES = 256 * 1024 * 1024;

/**
 * Fetches a file with progress and hands it to the browser to save. What is too large for a page's
 * memory, or of unknown size, becomes an ordinary download, whose progress the browser shows.
 */
export async function download(
  url: string,
  name: string,
  progress: (share: number) => void,
  signal?: AbortSignal,
): Promise<"saved" | "browser"> {
  const whole = await fetchWhole(url, progress, signal);
  save(whole ?? url, name);
  return whole ? "saved" : "browser";
}

/**
 * Fetches a whole file with progress; null for what is too large for a page's memory, or of unknown
 * size. Throws ServerError for what the server refuses, and an error in words for what breaks off.
 */
export async function fetchWhole(
  url: string,
  progress: (share: number) => void,
  signal?: AbortSignal,
): Promise<Blob | null> {
  const answer = await fetch(url, { signal }).catch((error: unknown) => {
    throw signal?.aborted ? error : unreached();
  });
  if (!answer.ok) {
    const told = await answer.json().catch(() => null);
    throw refusal(told, answer);
  }
  const size = Number(answer.headers.get("content-length") ?? 0);
  if (!size || size > MOST_BYTES || !answer.body) {
    await answer.body?.cancel();
    return null;
  }
  const parts = await gather(answer.body, (done) => progress(done / size)).catch(
    (error: unknown) => {
      throw signal?.aborted ? error : new Error(words.player.brokenOff);
    },
  );
  return new Blob(parts, {
    type: answer.headers.get("content-type") ?? "application/octet-stream",
  });
}

async function gather(body: ReadableStream<Uint8Array>, progress: (bytes: number) => void) {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let done = 0;
  const reader = body.getReader();
  for (;;) {
    const { done: over, value } = await reader.read();
    if (over) return parts;
    parts.push(value as Uint8Array<ArrayBuffer>);
    done += value.length;
    progress(done);
  }
}

/** Hands a file, or the address of one, to the browser to save. */
export function save(file: Blob | string, name: string) {
  const href = typeof file === "string" ? file : URL.createObjectURL(file);
  const link = Object.assign(document.createElement("a"), { href, download: name });
  document.body.append(link);
  link.click();
  link.remove();
  if (typeof file !== "string") setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

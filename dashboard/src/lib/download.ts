import { refusal, unreached } from "../api/http";

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
    save(url, name);
    return "browser";
  }
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let done = 0;
  const reader = answer.body.getReader();
  for (;;) {
    const { done: over, value } = await reader.read();
    if (over) break;
    parts.push(value as Uint8Array<ArrayBuffer>);
    done += value.length;
    progress(done / size);
  }
  const type = answer.headers.get("content-type") ?? "application/octet-stream";
  const made = URL.createObjectURL(new Blob(parts, { type }));
  save(made, name);
  setTimeout(() => URL.revokeObjectURL(made), 60_000);
  return "saved";
}

function save(url: string, name: string) {
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  document.body.append(link);
  link.click();
  link.remove();
}

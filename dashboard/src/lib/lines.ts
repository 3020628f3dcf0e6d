import type { LogNews } from "../api/socket";

/** A log as it is followed: its lines, and up to which running number they go. */
export type Followed = { lines: string[]; written: number | null };

const MOST = 2000;

/**
 * The log with what is new. The first news only says how far the lines that are there already go,
 * because they were read from the same file; a number that fell means that the server began anew.
 */
export function follow(log: Followed, news: LogNews): Followed {
  if (log.written === null) {
    const shown = new Set(log.lines.slice(-news.lines.length));
    const missing = news.lines.filter((line) => !shown.has(line));
    return { lines: [...log.lines, ...missing].slice(-MOST), written: news.written };
  }
  const begunAnew = news.written < log.written;
  const fresh = begunAnew ? news.written : news.written - log.written;
  if (fresh === 0) return log;
  const lines = news.lines.slice(-Math.min(fresh, news.lines.length));
  return { lines: [...log.lines, ...lines].slice(-MOST), written: news.written };
}

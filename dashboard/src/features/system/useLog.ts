import { useQueries, useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import type { LogNews } from "../../api/socket";
import { type Followed, follow } from "../../lib/lines";
import { type LogLine, readLines } from "../../lib/logLines";

/** The logs that the server pushes. The others are files, which are read again while followed. */
export const LOG_TYPES = ["health", "alerts", "watchdog"] as const;
export type LogType = (typeof LOG_TYPES)[number];

const FILES: Record<LogType, string> = {
  health: "health_monitor.log",
  alerts: "alerts.log",
  watchdog: "watchdog.log",
};
const PUSHED = new Set(Object.values(FILES));
/** The server's own first; cameras and other programs follow by name. */
const FIRST = ["touchline.log", "error.log"];

const SHOWN_LINES = 500;
const MOST_LINES = 5_000;
const READ_AGAIN_MS = 5_000;

export type HowRead = {
  following: boolean;
  /** As far back as the server gives them: a filter leaves little of the newest lines. */
  far: boolean;
  matchIds: readonly string[];
};

type Log = { lines: LogLine[]; ready: boolean; error: Error | null };

/** The files that are no log the server pushes, in the order in which they are offered. */
export function useLogFiles(): { files: string[]; error: Error | null } {
  const found = useQuery({
    queryKey: ["log-files"],
    queryFn: () => ask(api.GET("/api/v1/log-files")),
  });
  const files = useMemo(() => {
    const names = (found.data?.files ?? []).map(({ name }) => name);
    const others = names.filter((name) => !PUSHED.has(name) && !FIRST.includes(name));
    return [...FIRST.filter((name) => names.includes(name)), ...others];
  }, [found.data]);
  return { files, error: found.error };
}

/** The newest lines of a log; while it is followed, also those that are written from now on. */
export function useLog(type: LogType, { following, far, matchIds }: HowRead): Log {
  const [log, setLog] = useState<Followed | null>(null);
  const news = useChannel(`log_${type}`) as LogNews | undefined;
  const tail = useQuery({
    queryKey: ["log", type, far],
    gcTime: 0,
    queryFn: () => tailOf(type, far ? MOST_LINES : SHOWN_LINES),
  });
  useEffect(() => {
    if (tail.data) setLog({ lines: tail.data.lines, written: null });
  }, [tail.data]);
  const ready = log !== null;
  useEffect(() => {
    if (news && ready && following) setLog((now) => now && follow(now, news));
  }, [news, ready, following]);
  const lines = useMemo(() => readLines(log?.lines ?? [], matchIds), [log, matchIds]);
  return { lines, ready, error: tail.error };
}

/** The newest lines of files, each; while they are followed they are read every few seconds. */
export function useFileLogs(names: readonly string[], { following, far, matchIds }: HowRead) {
  const queries = useQueries({
    queries: names.map((name) => ({
      queryKey: ["log-file", name, far],
      gcTime: 0,
      refetchInterval: following ? READ_AGAIN_MS : (false as const),
      queryFn: () => tailOfFile(name, far ? MOST_LINES : SHOWN_LINES),
    })),
    combine: combined,
  });
  // Those that were read before stay until others are there.
  const [tails, setTails] = useState<string[][] | null>(null);
  const { ready } = queries;
  useEffect(() => {
    if (ready) setTails(queries.tails);
  }, [ready, queries.tails]);
  const logs = useMemo(
    () => (tails ?? []).map((lines) => readLines(lines, matchIds)),
    [tails, matchIds],
  );
  return { logs, ready: tails !== null, error: queries.error };
}

function combined(
  results: { data?: { lines: string[] }; isPending: boolean; error: Error | null }[],
) {
  return {
    tails: results.map(({ data }) => data?.lines ?? []),
    ready: results.every(({ isPending }) => !isPending),
    error: results.find(({ error }) => error)?.error ?? null,
  };
}

function tailOf(type: LogType, lines: number) {
  const params = { path: { log_type: type }, query: { lines } };
  return ask(api.GET("/api/v1/logs/{log_type}", { params }));
}

function tailOfFile(name: string, lines: number) {
  const params = { path: { log_file: name }, query: { lines } };
  return ask(api.GET("/api/v1/log-files/{log_file}", { params }));
}

/** Whole logs as text, as far back as the server gives them; several one after the other. */
export async function wholeLogs(names: readonly string[]): Promise<string> {
  const tails = await Promise.all(names.map((name) => wholeLog(name)));
  return tails
    .map((lines, n) => [...(names.length > 1 ? [`# ${names[n]}`] : []), ...lines, ""].join("\n"))
    .join("\n");
}

async function wholeLog(name: string): Promise<string[]> {
  const type = LOG_TYPES.find((each) => each === name);
  return (await (type ? tailOf(type, MOST_LINES) : tailOfFile(name, MOST_LINES))).lines;
}

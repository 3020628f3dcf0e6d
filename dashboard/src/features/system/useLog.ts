import { useQuery } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import type { LogNews } from "../../api/socket";
import { type Followed, follow } from "../../lib/lines";
import { type LogLine, readLine } from "../../lib/logLines";

export const LOG_TYPES = ["health", "alerts", "watchdog"] as const;
export type LogType = (typeof LOG_TYPES)[number];

const SHOWN_LINES = 500;
const MOST_LINES = 5_000;

/** The newest lines of a log; while it is followed, also those that are written from now on. */
export function useLog(type: LogType, following: boolean, matchIds: readonly string[]) {
  const [log, setLog] = useState<Followed | null>(null);
  const news = useChannel(`log_${type}`) as LogNews | undefined;
  const tail = useQuery({
    queryKey: ["log", type],
    gcTime: 0,
    queryFn: () => tailOf(type, SHOWN_LINES),
  });
  useEffect(() => {
    if (tail.data) setLog({ lines: tail.data.lines, written: null });
  }, [tail.data]);
  const ready = log !== null;
  useEffect(() => {
    if (news && ready && following) setLog((now) => now && follow(now, news));
  }, [news, ready, following]);
  const lines: LogLine[] = useMemo(
    () => (log?.lines ?? []).map((line) => readLine(line, matchIds)),
    [log, matchIds],
  );
  return { lines, ready, error: tail.error };
}

function tailOf(type: LogType, lines: number) {
  const params = { path: { log_type: type }, query: { lines } };
  return ask(api.GET("/api/v1/logs/{log_type}", { params }));
}

/** Whole logs as text, as far back as the server gives them; several one after the other. */
export async function wholeLogs(types: readonly LogType[]): Promise<string> {
  const tails = await Promise.all(types.map((type) => tailOf(type, MOST_LINES)));
  return tails
    .map(({ log_type, lines }) => {
      const head = types.length > 1 ? [`# ${log_type}`] : [];
      return [...head, ...lines, ""].join("\n");
    })
    .join("\n");
}

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, ask } from "../../../api/http";
import { useChannel } from "../../../api/live";
import type { Event } from "../../../lib/events";
import { isAbout, isOfFleet, keyOf, merged } from "./entries";

/** So many more events each time that one asks for earlier ones. */
export const PAGE = 200;
const MOST = 1_000;
const MOST_HEARD = 500;

/**
 * What happened to the fleet or to one engine, newest first: earlier events out of the log, and
 * those since then as the server tells of them.
 */
export function useActivity(engine: string | null) {
  const [limit, setLimit] = useState(PAGE);
  const heard = useHeard();
  const earlier = useQuery({
    queryKey: ["activity", engine, limit],
    staleTime: 0,
    placeholderData: keepPreviousData,
    queryFn: () => (engine === null ? askEvents({ limit }) : askAbout(engine, limit)),
  });
  const asked = earlier.data;
  // What was missed, such as while the connection was lost, is in the log.
  const missed = asked !== undefined && missesSome(heard.newest, [...asked, ...heard.before]);
  const { refetch } = earlier;
  useEffect(() => {
    if (missed) void refetch();
  }, [missed, refetch]);
  const events = merged([heard.newest, heard.before, asked ?? []]).filter(
    (event) => isOfFleet(event) && (engine === null || isAbout(event, engine)),
  );
  return {
    events,
    error: earlier.error,
    isPending: earlier.isPending,
    mayHaveEarlier: (asked?.length ?? 0) >= limit && limit < MOST,
    isLoadingEarlier: earlier.isPlaceholderData,
    showEarlier: () => setLimit((now) => Math.min(MOST, now + PAGE)),
  };
}

type Query = { limit: number; container_id?: string; event_type?: string; category?: string };

const askEvents = (query: Query) => ask(api.GET("/events", { params: { query } }));

/** Those that name the engine, and the one that tells which engine it took the place of. */
async function askAbout(engine: string, limit: number): Promise<Event[]> {
  const [own, replaced] = await Promise.all([
    askEvents({ limit, container_id: engine }),
    askEvents({ limit: PAGE, event_type: "engine", category: "replaced" }),
  ]);
  return [...own, ...replaced.filter((event) => isAbout(event, engine))];
}

/** Every event that the socket has told since this is shown, not only its newest. */
function useHeard() {
  const newest = useChannel("events") ?? NONE;
  const before = useRef<Event[]>([]);
  useEffect(() => {
    before.current = merged([newest, before.current]).slice(0, MOST_HEARD);
  }, [newest]);
  return { newest, before: before.current };
}

const NONE: Event[] = [];

/** Whether the socket's list begins behind all that is known: then some were not told. */
function missesSome(newest: readonly Event[], known: readonly Event[]): boolean {
  const oldest = newest[newest.length - 1];
  if (!oldest || known.length === 0) return false;
  const keys = new Set(known.map(keyOf));
  return !newest.some((event) => keys.has(keyOf(event)));
}

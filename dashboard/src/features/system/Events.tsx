import { useQuery } from "@tanstack/react-query";
import { Link } from "wouter";
import { useMatchTitle } from "../../api/capture";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import { Facts, sentence } from "../../lib/engineEventWords";
import { type Event, toneOf } from "../../lib/events";
import { eventInWords } from "../../lib/eventWords";
import { locale } from "../../lib/format";
import { streamPath, useHashState } from "../../lib/hashLocation";
import { words } from "../../messages";
import { Badge, Button, Choice, Empty, ErrorNote, Field, Loading } from "../../ui/basics";
import { CardsTable } from "../../ui/CardsTable";
import styles from "./System.module.css";

const PAGE = 50;
/** How many of the newest events a search looks through: as many as the server gives at once. */
const SEARCHED = 1_000;

/** What a type of events is called; one of the server that has no name does not build. */
const typeName = (type: string) => named<Event["event_type"]>(words.system.eventTypes, type);
const categoryName = (category: string) =>
  named<Event["category"]>(words.system.eventCategories, category);

/** The name of a word; the log of an earlier version may have others. */
function named<T extends string>(names: Record<T, string>, word: string): string {
  return Object.hasOwn(names, word) ? names[word as T] : word;
}

/** What happened on this server, newest first. Filters and page are in the address. */
export function Events() {
  const [type, setType] = useHashState("type");
  const [category, setCategory] = useHashState("category");
  const [search, setSearch] = useHashState("search");
  const [pageNow, setPage] = useHashState("page");
  const page = Math.max(0, Math.floor(Number(pageNow)) || 0);
  const inWords = useEventWords();
  const { events, more, types, list } = useEvents({ type, category, search, page }, inWords);
  const text = words.system.events;
  const filter = (set: (value: string | null) => void) => (value: string) => {
    set(value || null);
    setPage(null);
  };
  const turn = (to: number) => setPage(to === 0 ? null : String(to));
  const isFiltered = Boolean(type || category || search);
  return (
    <div className="stack">
      <div className="fields">
        <Choice
          label={text.type}
          value={type ?? ""}
          onChange={(event) => filter(setType)(event.target.value)}
          options={options(types, type, typeName)}
        />
        <Choice
          label={text.category}
          value={category ?? ""}
          onChange={(event) => filter(setCategory)(event.target.value)}
          options={options(Object.keys(words.system.eventCategories), category, categoryName)}
        />
        <Field
          label={text.search}
          type="search"
          placeholder={text.searchHint}
          hint={search ? text.searched(SEARCHED) : undefined}
          value={search ?? ""}
          onChange={(event) => filter(setSearch)(event.target.value)}
        />
      </div>
      <ErrorNote error={list.error} />
      {list.isPending ? (
        <Loading />
      ) : events.length === 0 ? (
        <Empty>{isFiltered || page > 0 ? text.noneFound : text.empty}</Empty>
      ) : (
        <EventTable events={events} inWords={inWords} />
      )}
      {(page > 0 || more) && (
        <div className="row">
          <Button disabled={page === 0} onClick={() => turn(page - 1)}>
            {text.newer}
          </Button>
          <span className="muted">{text.page(page + 1)}</span>
          <Button disabled={!more} onClick={() => turn(page + 1)}>
            {text.older}
          </Button>
        </div>
      )}
    </div>
  );
}

/** All of them and each by its name; one that is chosen is always among them. */
function options(known: readonly string[], chosen: string | null, nameOf: (id: string) => string) {
  const ids = chosen && !known.includes(chosen) ? [...known, chosen] : known;
  const entries = ids.map((id) => [id, nameOf(id)] as const);
  entries.sort(([, a], [, b]) => a.localeCompare(b, locale()));
  return [["", words.system.events.all] as const, ...entries];
}

type Wanted = { type: string | null; category: string | null; search: string | null; page: number };

function useEvents({ type, category, search, page }: Wanted, inWords: (event: Event) => string) {
  const newest = useChannel("events")?.[0]?.id;
  const stats = useQuery({
    queryKey: ["events", "stats", newest],
    queryFn: () => ask(api.GET("/events/stats")),
    placeholderData: (before) => before,
  });
  const query = {
    ...(search ? { limit: SEARCHED, offset: 0 } : { limit: PAGE + 1, offset: page * PAGE }),
    ...(type && { event_type: type }),
    ...(category && { category }),
  };
  const list = useQuery({
    // The first page is asked for again when the socket tells of a new event.
    queryKey: ["events", query, page === 0 ? newest : null],
    placeholderData: (before) => before,
    queryFn: () => ask(api.GET("/events", { params: { query } })),
  });
  const all = list.data ?? [];
  const rest = search
    ? all.filter((event) => hasWords(event, inWords(event), search)).slice(page * PAGE)
    : all;
  const types = Object.keys(stats.data?.by_type ?? {});
  return { events: rest.slice(0, PAGE), more: rest.length > PAGE, types, list };
}

/** Tells an event in the language of the page; one that it has no words for is told as it is. */
function useEventWords(): (event: Event) => string {
  const cameras = useChannel("cameras")?.cameras ?? [];
  const titleOf = useMatchTitle();
  return (event) =>
    sentence(new Facts(event, NO_NAMES, undefined, undefined)) ??
    eventInWords(event, cameras, titleOf);
}

const NO_NAMES: ReadonlyMap<string, string> = new Map();

/** Whether an event has each of the words, in what is shown of it or in its details. */
function hasWords(event: Event, told: string, search: string): boolean {
  const { event_type, category, message, details } = event;
  const shown = [event_type, category, typeName(event_type), categoryName(category), told, message];
  const all = [...shown, JSON.stringify(details)].join(" ").toLowerCase();
  return search
    .toLowerCase()
    .split(/\s+/)
    .every((word) => all.includes(word));
}

function EventTable({
  events,
  inWords,
}: {
  events: readonly Event[];
  inWords: (event: Event) => string;
}) {
  const text = words.system.events;
  return (
    <CardsTable label={text.title}>
      <table>
        <thead>
          <tr>
            <th>{text.when}</th>
            <th>{text.type}</th>
            <th>{text.what}</th>
            <th>{text.about}</th>
          </tr>
        </thead>
        <tbody>
          {events.map((event) => (
            <tr key={event.id ?? `${event.timestamp} ${event.message}`}>
              <td className="number" data-label={text.when}>
                <time dateTime={event.timestamp}>
                  {new Date(event.timestamp).toLocaleString(locale())}
                </time>
              </td>
              <td data-label={text.type}>
                <Badge tone={toneOf(event)}>
                  {typeName(event.event_type)}
                  {event.category !== "alert" && `: ${categoryName(event.category)}`}
                </Badge>
              </td>
              <td data-label={text.what}>{inWords(event)}</td>
              <td>
                <About event={event} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </CardsTable>
  );
}

/** Links to the match, the stream and the engine that an event is about. */
function About({ event }: { event: Event }) {
  const text = words.system.events;
  const titleOf = useMatchTitle();
  const { match_id, name } = event.details;
  return (
    <div className={styles.about}>
      {typeof match_id === "string" && (
        <Link href={`/matches/${encodeURIComponent(match_id)}`}>
          {text.match(titleOf(match_id))}
        </Link>
      )}
      {event.stream_id && <Link href={streamPath(event.stream_id)}>{text.stream}</Link>}
      {event.container_id && (
        <Link href={`/engines?about=${encodeURIComponent(event.container_id)}`}>
          {typeof name === "string" ? name : text.engine}
        </Link>
      )}
    </div>
  );
}

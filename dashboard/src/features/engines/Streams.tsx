import { useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";
import { api, ask, type Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { ago, shortId, speed } from "../../lib/format";
import { streamPath } from "../../lib/hashLocation";
import { words } from "../../messages";
import { Button, Loading } from "../../ui/basics";
import { CardsTable } from "../../ui/CardsTable";
import { EmptyState } from "../../ui/EmptyState";
import { useAction } from "../../ui/feedback";
import styles from "./Engines.module.css";
import { engineNames } from "./engineName";
import { StreamKey } from "./StreamKey";
import { streamTitle, useTitle } from "./titles";

/** Of so many streams the engines are asked for titles; the others have their short keys. */
const MOST_TITLES = 40;

/** The streams that play, each with its engine and its figures. */
export function Streams({ onOpen }: { onOpen: (engine: string) => void }) {
  const streams = useChannel("streams");
  const engines = useChannel("engines");
  const texts = words.engines.streams;
  const { columns } = texts;
  if (!streams) return <Loading />;
  if (streams.length === 0) {
    return <EmptyState title={texts.none}>{texts.noneBody}</EmptyState>;
  }
  const names = engines && engineNames(engines);
  return (
    <CardsTable label={texts.list}>
      <table>
        <thead>
          <tr>
            <th>{columns.title}</th>
            <th>{columns.engine}</th>
            <th>{columns.since}</th>
            <th>{columns.peers}</th>
            <th>{columns.down}</th>
            <th>{columns.up}</th>
            <th>
              <span className="sr-only">{texts.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {streams.map((stream, n) => (
            <Row
              key={stream.id}
              stream={stream}
              asks={n < MOST_TITLES}
              // Until the engines are known, none has a name to be shown.
              engine={
                names ? (names.get(stream.container_id) ?? shortId(stream.container_id)) : "…"
              }
              onOpen={onOpen}
            />
          ))}
        </tbody>
      </table>
    </CardsTable>
  );
}

function Row({
  stream,
  engine,
  asks,
  onOpen,
}: {
  stream: Schema["StreamState"];
  engine: string;
  asks: boolean;
  onOpen: (engine: string) => void;
}) {
  const { columns, ...texts } = words.engines.streams;
  const { unknown } = words.format;
  const title = streamTitle(stream, useTitle(stream.id, asks));
  const stop = useStopStream();
  return (
    <tr>
      <th scope="row">
        <span className={styles.stream}>
          <Link href={streamPath(stream.id)}>{title}</Link>
          <StreamKey stream={stream} />
          {stream.id !== stream.key && (
            <span className={`small muted ${styles.id}`}>{stream.id}</span>
          )}
        </span>
      </th>
      <td data-label={columns.engine}>
        <button type="button" className={styles.name} onClick={() => onOpen(stream.container_id)}>
          {engine}
        </button>
      </td>
      <td data-label={columns.since}>{ago(stream.started_at)}</td>
      <td className="number" data-label={columns.peers}>
        {stream.peers ?? unknown}
      </td>
      <td className="number" data-label={columns.down}>
        {speed(stream.speed_down)}
      </td>
      <td className="number" data-label={columns.up}>
        {speed(stream.speed_up)}
      </td>
      <td>
        <Button
          size="small"
          aria-label={texts.stopNamed(title)}
          onClick={() => stop.mutate({ id: stream.id, title })}
        >
          {texts.stop}
        </Button>
      </td>
    </tr>
  );
}

/** Ends a stream for everybody. That it has ended is said by the page itself. */
export function useStopStream() {
  const queries = useQueryClient();
  const { streams } = words.engines;
  return useAction(
    ({ id }: { id: string; title: string }) =>
      ask(api.DELETE("/streams/{stream_id}", { params: { path: { stream_id: id } } })),
    {
      asks: ({ title }) => ({
        title: streams.stopQuestion(title),
        body: streams.stopBody,
        action: streams.stop,
        danger: true,
      }),
      after: () => void queries.invalidateQueries({ queryKey: ["stream"] }),
    },
  );
}

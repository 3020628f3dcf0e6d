import { useQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link } from "wouter";
import { api, ask, type Schema, ServerError } from "../../api/http";
import { useChannel } from "../../api/live";
import { ago, bytes, shortId, speed } from "../../lib/format";
import type { Histories } from "../../lib/history";
import { words } from "../../messages";
import { Badge, Button, Card, Facts, Loading } from "../../ui/basics";
import { Chart } from "../../ui/Chart";
import { EmptyState } from "../../ui/EmptyState";
import styles from "./Engines.module.css";
import { engineNames } from "./engineName";
import { StreamKey } from "./StreamKey";
import { useStopStream } from "./Streams";
import { streamTitle, useDetails, useTitle } from "./titles";
import { useSamples } from "./useSamples";

const ALL_STREAMS = "/engines?tab=streams";

/** One stream: its figures, its curves and what its engine says of the content. */
export default function Stream({ streamId }: { streamId: string }) {
  const texts = words.engines.stream;
  const { stream, isGone } = useStream(streamId);
  const details = useDetails(streamId);
  const title = useTitle(streamId);
  const samples = useSamples(streamId, stream?.status === "started" ? stream : undefined);
  const stop = useStopStream();
  if (isGone) {
    return (
      <EmptyState title={texts.unknown} action={<Link href={ALL_STREAMS}>{texts.back}</Link>}>
        {texts.unknownBody}
      </EmptyState>
    );
  }
  if (!stream) return <Loading />;
  const { status, stop: stopText } = words.engines.streams;
  const name = streamTitle(stream, title);
  const plays = stream.status === "started";
  return (
    <div className="page">
      <p>
        <Link href={ALL_STREAMS}>{texts.back}</Link>
      </p>
      <div className="page-head">
        <h1>{name}</h1>
        <div className="row">
          <Badge tone={plays ? "good" : "plain"}>{status[stream.status]}</Badge>
          {plays && (
            <Button onClick={() => stop.mutate({ id: stream.id, title: name })}>{stopText}</Button>
          )}
        </div>
      </div>
      <Now stream={stream} />
      <div className="columns">
        <Curves samples={samples} />
        <Told title={texts.content} values={details.data} />
        <Position streamId={streamId} />
      </div>
    </div>
  );
}

/** The stream as the socket tells it, or as the server knows it when it does not play. */
function useStream(streamId: string) {
  const playing = useChannel("streams")?.find((stream) => stream.id === streamId);
  const known = useQuery({
    // Asked again when it ends: then it is not among those that play.
    queryKey: ["stream", streamId, playing === undefined],
    staleTime: 0,
    queryFn: () =>
      ask(api.GET("/streams/{stream_id}", { params: { path: { stream_id: streamId } } })),
  });
  const isGone = known.error instanceof ServerError && known.error.status === 404;
  return { stream: playing ?? known.data, isGone };
}

function Now({ stream }: { stream: Schema["StreamState"] }) {
  const texts = words.engines.stream;
  const { keyNames } = words.engines.streams;
  const { unknown } = words.format;
  return (
    <Card title={texts.now}>
      <Facts
        facts={[
          [texts.engine, <EngineLink key="engine" id={stream.container_id} />],
          [texts.peers, stream.peers ?? unknown],
          [texts.down, speed(stream.speed_down)],
          [texts.up, speed(stream.speed_up)],
          [texts.downloaded, bytes(stream.downloaded ?? 0)],
          [texts.uploaded, bytes(stream.uploaded ?? 0)],
          [texts.began, ago(stream.started_at)],
          [texts.ended, endOf(stream)],
          [keyNames[stream.key_type], <StreamKey key="key" stream={stream} />],
          [
            texts.id,
            <span key="id" className={styles.id}>
              {stream.id}
            </span>,
          ],
        ]}
      />
    </Card>
  );
}

/** When and why a stream ended. */
function endOf({ ended_at, end_reason }: Schema["StreamState"]): string {
  if (!ended_at) return words.format.unknown;
  if (!end_reason) return ago(ended_at);
  const { ends } = words.engines.streams;
  const reason = Object.hasOwn(ends, end_reason) ? ends[end_reason] : end_reason;
  return words.engines.stream.endedWhy(ago(ended_at), reason ?? end_reason);
}

function EngineLink({ id }: { id: string }) {
  const engines = useChannel("engines");
  const name = engines ? (engineNames(engines).get(id) ?? shortId(id)) : "…";
  return <Link href={`/engines?about=${encodeURIComponent(id)}`}>{name}</Link>;
}

/** Speed and peers over time. */
function Curves({ samples }: { samples: Histories }) {
  const texts = words.engines.stream;
  const { times, values: peers } = samples.get("peers");
  return (
    <>
      <Card title={texts.speed}>
        <Chart
          label={texts.speed}
          times={times}
          unit={(value) => speed(value)}
          lines={[
            { label: texts.down, values: samples.get("down").values },
            { label: texts.up, values: samples.get("up").values },
          ]}
        />
      </Card>
      <Card title={texts.peers}>
        <Chart
          label={texts.peers}
          times={times}
          unit={(value) => String(Math.round(value))}
          lines={[{ label: texts.peers, values: peers }]}
        />
      </Card>
    </>
  );
}

function Position({ streamId }: { streamId: string }) {
  const texts = words.engines.stream;
  const position = useQuery({
    queryKey: ["stream-position", streamId],
    retry: false,
    queryFn: () =>
      ask(api.GET("/streams/{stream_id}/livepos", { params: { path: { stream_id: streamId } } })),
  });
  if (!position.data?.has_livepos) return null;
  return (
    <Told
      title={texts.position}
      values={position.data.livepos}
      tools={
        <Button size="small" onClick={() => void position.refetch()}>
          {texts.refresh}
        </Button>
      }
    />
  );
}

/** What the engine tells: plain values by their names, those that are known in words. */
function Told({
  title,
  values,
  tools,
}: {
  title: string;
  values: object | null | undefined;
  tools?: ReactNode;
}) {
  const plain = Object.entries(values ?? {}).filter(([, value]) => typeof value !== "object");
  if (plain.length === 0) return null;
  const { facts } = words.engines.stream;
  return (
    <Card title={title} tools={tools}>
      <Facts
        facts={plain.map(([name, value]) => [
          Object.hasOwn(facts, name) ? (facts[name] ?? name) : name,
          shown(name, value),
        ])}
      />
    </Card>
  );
}

function shown(name: string, value: unknown): string {
  const { yes, no } = words.engines.stream;
  if (typeof value === "boolean" || name === "is_live") return value ? yes : no;
  return String(value);
}

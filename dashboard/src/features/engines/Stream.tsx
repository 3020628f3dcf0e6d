import { useQuery } from "@tanstack/react-query";
import { useEffect, useReducer, useRef } from "react";
import { Link } from "wouter";
import { api, ask, type Schema, ServerError } from "../../api/http";
import { useChannel } from "../../api/live";
import { ago, bytes, speed } from "../../lib/format";
import { Histories } from "../../lib/history";
import { Badge, Button, Card, Empty, Facts, Loading } from "../../ui/basics";
import { Chart } from "../../ui/Chart";
import { useStopStream } from "./Streams";

const MOST_SAMPLES = 2_000;

export default function Stream({ streamId }: { streamId: string }) {
  const path = { stream_id: streamId };
  const playing = useChannel("streams")?.find((stream) => stream.id === streamId);
  const known = useQuery({
    // Asked again when it ends: then it is not among those that play.
    queryKey: ["stream", streamId, playing === undefined],
    staleTime: 0,
    queryFn: () => ask(api.GET("/streams/{stream_id}", { params: { path } })),
  });
  const details = useQuery({
    queryKey: ["stream-details", streamId],
    retry: false,
    queryFn: () => ask(api.GET("/streams/{stream_id}/extended-stats", { params: { path } })),
  });
  const position = useQuery({
    queryKey: ["stream-position", streamId],
    retry: false,
    queryFn: () => ask(api.GET("/streams/{stream_id}/livepos", { params: { path } })),
  });
  const samples = useSamples(streamId, playing);
  const stop = useStopStream();
  const stream = playing ?? known.data;
  if (known.error instanceof ServerError && known.error.status === 404) {
    return (
      <Empty>
        This stream is not known (any more). <Link href="/engines">Engines</Link>
      </Empty>
    );
  }
  if (!stream) return <Loading />;
  const told = Object.entries(details.data ?? {}).filter(([, value]) => typeof value !== "object");
  return (
    <div className="page">
      <p>
        <Link href="/engines">Engines</Link>
      </p>
      <div className="page-head">
        <h1>{stream.id}</h1>
        <div className="row">
          <Badge tone={stream.status === "started" ? "good" : "plain"}>{stream.status}</Badge>
          {stream.status === "started" && (
            <Button onClick={() => stop.mutate(stream.id)}>Stop</Button>
          )}
        </div>
      </div>
      <Now stream={stream} />
      <div className="columns">
        <Curves samples={samples} />
        {told.length > 0 && (
          <Card title="Content">
            <Facts facts={told.map(([name, value]) => [name, String(value)])} />
          </Card>
        )}
        {position.data?.has_livepos && (
          <Card
            title="Live position"
            tools={
              <Button size="small" onClick={() => void position.refetch()}>
                Ask again
              </Button>
            }
          >
            <Facts
              facts={Object.entries(position.data.livepos ?? {}).map(([name, value]) => [
                name,
                String(value),
              ])}
            />
          </Card>
        )}
      </div>
    </div>
  );
}

function Now({ stream }: { stream: Schema["StreamState"] }) {
  return (
    <Card title="Now">
      <Facts
        facts={[
          ["Peers", stream.peers ?? "–"],
          ["Down", speed(stream.speed_down)],
          ["Up", speed(stream.speed_up)],
          ["Downloaded", bytes(stream.downloaded ?? 0)],
          ["Uploaded", bytes(stream.uploaded ?? 0)],
          ["Began", ago(stream.started_at)],
          ["Ended", stream.ended_at ? `${ago(stream.ended_at)}: ${stream.end_reason}` : "–"],
          [stream.key_type, <code key="key">{stream.key}</code>],
        ]}
      />
    </Card>
  );
}

/** Speed and peers over time. */
function Curves({ samples }: { samples: Histories }) {
  const { times, values: peers } = samples.get("peers");
  return (
    <>
      <Card title="Speed">
        <Chart
          label="Kibibytes a second"
          times={times}
          unit={(value) => speed(value)}
          lines={[
            { label: "Down", values: samples.get("down").values },
            { label: "Up", values: samples.get("up").values },
          ]}
        />
      </Card>
      <Card title="Peers">
        <Chart
          label="Peers"
          times={times}
          unit={(value) => String(Math.round(value))}
          lines={[{ label: "Peers", values: peers }]}
        />
      </Card>
    </>
  );
}

type Playing = {
  peers: number | null;
  speed_down: number | null;
  speed_up: number | null;
};

/** What the server has kept of a stream, and from then on what the socket tells. */
function useSamples(streamId: string, playing: Playing | undefined) {
  const kept = useRef(new Histories(MOST_SAMPLES));
  const [, drawn] = useReducer((n: number) => n + 1, 0);
  const before = useQuery({
    queryKey: ["stream-stats", streamId],
    staleTime: Number.POSITIVE_INFINITY,
    gcTime: 0,
    queryFn: () =>
      ask(api.GET("/streams/{stream_id}/stats", { params: { path: { stream_id: streamId } } })),
  });
  const ready = !before.isPending;
  useEffect(() => {
    kept.current = new Histories(MOST_SAMPLES);
    for (const { ts, peers, speed_down, speed_up } of before.data ?? []) {
      kept.current.add(Date.parse(ts) / 1000, {
        peers: peers ?? 0,
        down: speed_down ?? 0,
        up: speed_up ?? 0,
      });
    }
    drawn();
  }, [before.data]);
  useEffect(() => {
    if (!playing || !ready) return;
    kept.current.add(Date.now() / 1000, {
      peers: playing.peers ?? 0,
      down: playing.speed_down ?? 0,
      up: playing.speed_up ?? 0,
    });
    drawn();
  }, [playing, ready]);
  return kept.current;
}

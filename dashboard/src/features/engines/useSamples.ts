import { useQuery } from "@tanstack/react-query";
import { useEffect, useReducer, useRef } from "react";
import { api, ask } from "../../api/http";
import { Histories } from "../../lib/history";

const MOST_SAMPLES = 2_000;

type Playing = {
  peers: number | null;
  speed_down: number | null;
  speed_up: number | null;
};

/** What the server has kept of a stream, and from then on what the socket tells. */
export function useSamples(streamId: string, playing: Playing | undefined) {
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

import { useQuery } from "@tanstack/react-query";
import { useCallback, useSyncExternalStore } from "react";
import { api, ask } from "./http";
import { type Channel, type Channels, LiveSocket } from "./socket";

const scheme = location.protocol === "https:" ? "wss" : "ws";

export const live = new LiveSocket(`${scheme}://${location.host}/ws`);

export function useConnection() {
  return useSyncExternalStore(
    useCallback((changed) => live.onConnection(changed), []),
    () => live.connection,
  );
}

/** What the same thing is asked for over HTTP, while the socket is away. */
const routes: { [C in Channel]?: () => Promise<Channels[C]> } = {
  status: () => ask(api.GET("/api/v1/status")) as Promise<Channels["status"]>,
  pipeline_state: () => ask(api.GET("/api/v1/pipeline-state")),
  system_metrics: () => ask(api.GET("/api/v1/system-metrics")),
  cameras: () => ask(api.GET("/api/v1/cameras")),
  recording_health: () => ask(api.GET("/api/v1/recording-health")),
  jobs: () => ask(api.GET("/api/v1/processing/jobs")),
  engines: () => ask(api.GET("/engines")),
  streams: () => ask(api.GET("/streams")),
  vpn: () => ask(api.GET("/vpn/status")),
  events: () => ask(api.GET("/events", { params: { query: { limit: 50 } } })),
  orchestrator: () => ask(api.GET("/orchestrator/status")),
  engine_usage: () => ask(api.GET("/engines/stats/all")),
  reprovision: () => ask(api.GET("/custom-variant/reprovision/status")),
};

const FALLBACK_EVERY_MS = 5_000;

/** The newest of a channel. While the socket is lost, and only then, it is asked for over HTTP. */
export function useChannel<C extends Channel>(channel: C): Channels[C] | undefined {
  const told = useSyncExternalStore(
    useCallback((changed) => live.listen(channel, changed), [channel]),
    () => live.value(channel),
  );
  const connection = useConnection();
  const route = routes[channel] as (() => Promise<Channels[C]>) | undefined;
  const lost = connection === "lost";
  const asked = useQuery({
    queryKey: ["channel", channel],
    queryFn: () => (route as () => Promise<Channels[C]>)(),
    enabled: lost && route !== undefined,
    refetchInterval: lost ? FALLBACK_EVERY_MS : false,
    retry: false,
    gcTime: 0,
  });
  return lost ? (asked.data ?? told) : told;
}

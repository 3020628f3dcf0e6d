import { useQuery } from "@tanstack/react-query";
import { api, ask, type Schema } from "../../api/http";

type Keyed = Pick<Schema["StreamState"], "key" | "key_type">;

const SHORT = 8;
const SHORT_ADDRESS = 40;

/** The engine's information about the content of a stream; asked for once. */
export function useDetails(streamId: string, asks = true) {
  return useQuery({
    queryKey: ["stream-details", streamId],
    enabled: asks,
    retry: false,
    retryOnMount: false,
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () =>
      ask(
        api.GET("/streams/{stream_id}/extended-stats", {
          params: { path: { stream_id: streamId } },
        }),
      ),
  });
}

/** The title of a stream's content as its engine knows it; null until then, or where it does not. */
export function useTitle(streamId: string, asks = true): string | null {
  const title = (useDetails(streamId, asks).data as Record<string, unknown> | undefined)?.title;
  return typeof title === "string" && title.trim() !== "" ? title.trim() : null;
}

/** The beginning of a key: enough to tell streams apart. */
export function shortKey({ key, key_type }: Keyed): string {
  const most = key_type === "content_id" || key_type === "infohash" ? SHORT : SHORT_ADDRESS;
  return key.length > most + 1 ? `${key.slice(0, most)}…` : key;
}

/** What a stream is called: its title, the name in a magnet link, or else its short key. */
export function streamTitle(stream: Keyed, title: string | null): string {
  return title ?? nameInMagnet(stream) ?? shortKey(stream);
}

function nameInMagnet({ key, key_type }: Keyed): string | null {
  if (key_type !== "magnet") return null;
  return new URLSearchParams(key.slice(key.indexOf("?") + 1)).get("dn") || null;
}

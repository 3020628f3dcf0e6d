import { useQuery } from "@tanstack/react-query";
import { matchPath } from "../../api/capture";
import { api, ask } from "../../api/http";
import { parseThumbnails } from "../../lib/vtt";
import { type Source, thumbnailsOf } from "./sources";

/** Thumbnails of what is shown, where they were made. */
export function useThumbnails(
  matchId: string,
  enabled: boolean,
  shown: Source[],
  sources: Source[],
) {
  const made = useQuery({
    queryKey: ["matches", "made", matchId],
    enabled,
    queryFn: () =>
      ask(
        api.GET("/api/v1/recordings/{match_id}/made", { params: { path: { match_id: matchId } } }),
      ),
  });
  const sheets = made.data?.made.sprites?.sheets as Record<string, unknown> | undefined;
  const source = thumbnailsOf(shown, sources, sheets ?? {});
  const thumbnails = useQuery({
    queryKey: ["thumbnails", matchId, source],
    enabled: source !== undefined,
    queryFn: async () => {
      const answer = await fetch(matchPath(matchId, "files", `${source}_sprites.vtt`));
      return answer.ok ? parseThumbnails(await answer.text()) : [];
    },
  });
  return {
    sheet: source === undefined ? "" : matchPath(matchId, "files", `${source}_sprites.jpg`),
    thumbnails: thumbnails.data ?? [],
  };
}

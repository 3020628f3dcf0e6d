import { useQuery } from "@tanstack/react-query";
import { api, ask, ServerError } from "../../api/http";
import { useChannel } from "../../api/live";

/** Whether there is a storage to upload to, and which files of a match are in it. */
type StorageState = { configured: boolean | undefined; uploaded: ReadonlySet<string> };

const NOTHING: ReadonlySet<string> = new Set();

/** Asked for anew after each upload; where it cannot be told, `configured` stays undefined. */
export function useStorage(matchId: string): StorageState {
  const uploads = (useChannel("jobs")?.jobs ?? []).filter(
    (job) => job.match_id === matchId && job.kind === "upload" && job.state === "done",
  ).length;
  const { data, error } = useQuery({
    queryKey: ["storage", matchId, uploads],
    queryFn: () =>
      ask(
        api.GET("/api/v1/recordings/{match_id}/r2-urls", {
          params: { path: { match_id: matchId } },
        }),
      ),
  });
  if (data) return { configured: true, uploaded: new Set(data.files.map(({ name }) => name)) };
  const none = error instanceof ServerError && error.code === "no_storage";
  return { configured: none ? false : undefined, uploaded: NOTHING };
}

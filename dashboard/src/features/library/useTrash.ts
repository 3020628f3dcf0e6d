import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useLocation } from "wouter";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import { mebibytes } from "../../lib/format";
import type { Details } from "../../lib/matchName";
import { words } from "../../messages";
import { useAction, useFeedback } from "../../ui/feedback";
import { namingOf } from "./names";

const TRASH = ["trash"];

/** The matches in the trash; asked for anew when the server says that the library changed. */
export function useTrash() {
  const queries = useQueryClient();
  const version = useChannel("library")?.version;
  // biome-ignore lint/correctness/useExhaustiveDependencies: this is the change
  useEffect(() => {
    void queries.invalidateQueries({ queryKey: TRASH });
  }, [queries, version]);
  return useQuery({ queryKey: TRASH, queryFn: () => ask(api.GET("/api/v1/trash")) });
}

/** What an entry of the trash is addressed and called by. */
type Trashed = { id: string; match_id: string; details: Details | null };

const titleOf = ({ match_id, details }: Trashed) => namingOf(match_id, details).title;

/** Asks for the library and the trash anew. */
function useRefresh() {
  const queries = useQueryClient();
  return () => {
    void queries.invalidateQueries({ queryKey: TRASH });
    void queries.invalidateQueries({ queryKey: ["matches"] });
  };
}

/** Moves a match back to the library. */
export function useRestore() {
  return useAction(
    ({ id }: Trashed) =>
      ask(api.POST("/api/v1/trash/{trash_id}/restore", { params: { path: { trash_id: id } } })),
    {
      done: ({ match_id }, trashed) => {
        const { restored, restoredAs } = words.library.trash;
        return match_id === trashed.match_id ? restored(titleOf(trashed)) : restoredAs(match_id);
      },
      after: useRefresh(),
    },
  );
}

/** Moves a match to the trash and leaves its page; the message takes it back. */
export function useMoveToTrash() {
  const [, go] = useLocation();
  const { tell } = useFeedback();
  const restore = useRestore();
  return useAction(
    async (matchId: string) => {
      const moved = await ask(
        api.POST("/api/v1/matches/{match_id}/trash", { params: { path: { match_id: matchId } } }),
      );
      go("/matches");
      tell(words.library.trash.moved, { undo: () => restore.mutate(moved) });
    },
    { after: useRefresh() },
  );
}

/** Deletes a match that is in the trash for good; asks first. */
export function usePurge() {
  return useAction(
    ({ id }: Trashed & { size_bytes: number }) =>
      ask(api.DELETE("/api/v1/trash/{trash_id}", { params: { path: { trash_id: id } } })),
    {
      asks: (trashed) => ({
        title: words.library.trash.purgeTitle(titleOf(trashed)),
        body: words.library.trash.purgeText(mebibytes(trashed.size_bytes / 2 ** 20)),
        action: words.library.trash.purge,
        danger: true,
      }),
      done: ({ size_mb_freed }) => words.library.trash.freed(mebibytes(size_mb_freed)),
      after: useRefresh(),
    },
  );
}

/** Deletes everything that is in the trash for good; asks first. */
export function useEmptyTrash() {
  return useAction((_: { count: number; size: string }) => ask(api.DELETE("/api/v1/trash")), {
    asks: ({ count, size }) => ({
      title: words.library.trash.emptyTitle,
      body: words.library.trash.emptyText(count, size),
      action: words.library.trash.purge,
      danger: true,
    }),
    done: ({ size_mb_freed }) => words.library.trash.freed(mebibytes(size_mb_freed)),
    after: useRefresh(),
  });
}

/** Deletes a match for good where the server keeps no trash; asks first. */
export function useDelete(size: string) {
  const [, go] = useLocation();
  return useAction(
    async ({ match_id }: Trashed) => {
      const params = { path: { match_id } };
      const gone = await ask(api.DELETE("/api/v1/recordings/{match_id}", { params }));
      go("/matches");
      return gone;
    },
    {
      asks: (match) => ({
        title: words.library.trash.purgeTitle(titleOf(match)),
        body: words.library.trash.purgeText(size),
        action: words.library.trash.purge,
        danger: true,
      }),
      done: ({ size_mb_freed }) => words.library.trash.freed(mebibytes(size_mb_freed)),
      after: useRefresh(),
    },
  );
}

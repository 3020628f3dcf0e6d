import { useMutation } from "@tanstack/react-query";
import { useState } from "react";
import { type MarkerKind, markerName, useMarkers } from "../../api/capture";
import { api, ask, type Schema } from "../../api/http";
import { errorText } from "../../lib/errorWords";
import { clock } from "../../lib/format";
import { words } from "../../messages";

export type Marker = Schema["MarkerState"];
export type Marking = ReturnType<typeof useMarking>;

/** A marker in words: `Goal at 12:31`. */
export const markerLabel = ({ kind, at }: Pick<Marker, "kind" | "at">) =>
  words.player.markers.named(markerName(kind), clock(at));

/** The markers of a match and what changes them. `announce` is told what was marked or removed. */
export function useMarking(matchId: string, announce: (text: string) => void) {
  const { data, error, refetch } = useMarkers(matchId);
  const [kind, setKind] = useState<MarkerKind>("other");
  const [text, setText] = useState("");
  const path = { match_id: matchId };
  const add = useMutation({
    mutationFn: (at: number) =>
      ask(
        api.POST("/api/v1/recordings/{match_id}/markers", {
          params: { path },
          body: { kind, text, team: "", at, seconds_ago: 0 },
        }),
      ),
    onSuccess: (made) => {
      setText("");
      announce(words.player.markers.marked(markerName(made.kind), clock(made.at)));
    },
    onError: (error) => announce(errorText(error)),
    onSettled: () => refetch(),
  });
  const change = useMutation({
    mutationFn: ({ marker_id, kind, text }: Pick<Marker, "marker_id" | "kind" | "text">) =>
      ask(
        api.PATCH("/api/v1/recordings/{match_id}/markers/{marker_id}", {
          params: { path: { ...path, marker_id } },
          body: { kind, text },
        }),
      ),
    onSettled: () => refetch(),
  });
  const remove = useMutation({
    mutationFn: ({ marker_id }: Marker) =>
      ask(
        api.DELETE("/api/v1/recordings/{match_id}/markers/{marker_id}", {
          params: { path: { ...path, marker_id } },
        }),
      ),
    onSuccess: (_, gone) =>
      announce(words.player.markers.removed(markerName(gone.kind), clock(gone.at))),
    onSettled: () => refetch(),
  });
  const failure = add.error ?? change.error ?? remove.error ?? error;
  return {
    markers: data ?? [],
    failure,
    kind,
    setKind,
    text,
    setText,
    add,
    change: change.mutate,
    remove: remove.mutate,
    changing: change.isPending || remove.isPending,
  };
}

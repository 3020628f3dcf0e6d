import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { api, ask, type Schema } from "./http";
import { useChannel } from "./live";

export type Camera = Schema["CameraStatus"];
export type MarkerKind = Schema["MarkerState"]["kind"];
export type MatchEntry = Schema["MatchEntry"];

export const MARKERS: readonly (readonly [MarkerKind, string])[] = [
  ["goal", "Goal"],
  ["chance", "Chance"],
  ["save", "Save"],
  ["corner", "Corner"],
  ["foul", "Foul"],
  ["card", "Card"],
  ["substitution", "Change"],
  ["kickoff", "Kick-off"],
  ["whistle", "Whistle"],
  ["other", "Moment"],
];

export const markerName = (kind: MarkerKind) =>
  MARKERS.find(([each]) => each === kind)?.[1] ?? kind;

/** All matches; asked for anew when the server says that something about them changed. */
export function useMatches() {
  const queries = useQueryClient();
  const status = useChannel("status");
  const library = useChannel("library");
  const jobs = useChannel("jobs");
  const running = status?.recording.match_id ?? null;
  const done = jobs?.jobs.filter((job) => job.state === "done").length ?? 0;
  const version = library?.version;
  // biome-ignore lint/correctness/useExhaustiveDependencies: these are the changes
  useEffect(() => {
    void queries.invalidateQueries({ queryKey: ["matches"] });
  }, [queries, running, version, done]);
  return useQuery({
    queryKey: ["matches"],
    queryFn: async () => (await ask(api.GET("/api/v1/recordings"))).recordings,
  });
}

export function useMarkers(matchId: string | null) {
  return useQuery({
    queryKey: ["markers", matchId],
    enabled: matchId !== null,
    queryFn: async () => {
      const path = { match_id: matchId as string };
      const found = await ask(
        api.GET("/api/v1/recordings/{match_id}/markers", { params: { path } }),
      );
      return found.markers;
    },
  });
}

/** The path of a file of a match, for links and pictures. */
export const matchPath = (matchId: string, ...rest: string[]) =>
  ["/api/v1/recordings", ...[matchId, ...rest].map(encodeURIComponent)].join("/");

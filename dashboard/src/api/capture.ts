import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { titleOf } from "../lib/matchName";
import { words } from "../messages";
import { api, ask, type Schema } from "./http";
import { useChannel } from "./live";

export type Camera = Schema["CameraStatus"];
export type MarkerKind = Schema["MarkerState"]["kind"];
export type MatchEntry = Schema["MatchEntry"];

const MARKER_KINDS: readonly MarkerKind[] = [
  "goal",
  "chance",
  "save",
  "corner",
  "foul",
  "card",
  "substitution",
  "kickoff",
  "whistle",
  "other",
];

export const markerName = (kind: MarkerKind) => words.matchday.markers[kind] ?? kind;

/** Each kind with its name, in the order of its buttons. */
export const markerNames = (): [MarkerKind, string][] =>
  MARKER_KINDS.map((kind) => [kind, markerName(kind)]);

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

/** How a match is called on every page: by its details where it has some, or else by its id. */
export function useMatchTitle(): (matchId: string) => string {
  const matches = useMatches().data;
  return (matchId) => titleOf(matchId, matches?.[matchId]?.details);
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

/** What a camera of a match (`cam0`) is called: as the camera of that number is called now. */
export function useCameraName(): (camera: string) => string {
  const cameras = useChannel("cameras")?.cameras;
  return (camera) => {
    const number = camera.replace(/^cam/, "");
    const named = cameras?.find(({ id }) => String(id) === number);
    return named?.name || words.library.camera(number);
  };
}

/** Where the picture is that stands for a match in a list. */
export const posterPath = (matchId: string) =>
  `/api/v1/matches/${encodeURIComponent(matchId)}/poster.jpg`;

/** The path of a file of a match, for links and pictures. */
export const matchPath = (matchId: string, ...rest: string[]) =>
  ["/api/v1/recordings", ...[matchId, ...rest].map(encodeURIComponent)].join("/");

const LONGEST_NAME = 255;

/** The address of a download that is saved under this name, whatever its file is called there. */
export function namedPath(path: string, name: string): string {
  if (name.length > LONGEST_NAME) return path;
  return `${path}${path.includes("?") ? "&" : "?"}name=${encodeURIComponent(name)}`;
}

import { useQuery } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { Link } from "wouter";
import { matchPath, useMatches } from "../../api/capture";
import { api, ask, type Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { jobFailure } from "../../lib/errorWords";
import { clock } from "../../lib/format";
import { useHashState, useNavigationGuard } from "../../lib/hashLocation";
import { titleOf } from "../../lib/matchName";
import { words } from "../../messages";
import { Badge, Button, Card, Choice, ErrorNote, Note, Progress } from "../../ui/basics";
import { EmptyState } from "../../ui/EmptyState";
import { useAction, useFeedback } from "../../ui/feedback";
import { FollowVideo, Transport } from "./FollowVideo";
import type { Place } from "./PointSurface";

type FollowTrack = { rate_hz: number; x: number[]; y: number[] };
type Keyframe = Place & { at_s: number };
type Job = Schema["JobState"];

/** The video that follows the play, drawn on the panorama it is cut from, and corrected by hand. */
export function FollowCut() {
  const matches = useMatches();
  const [wanted, setMatchId] = useHashState("match");
  const withPanorama = Object.entries(matches.data ?? {})
    .filter(([, entry]) => entry.files.some((file) => file.file === "panorama_archive.mp4"))
    .map(([id, { details }]) => [id, titleOf(id, details)] as const);
  const matchId = withPanorama.find(([id]) => id === wanted)?.[0] ?? "";
  const text = words.panorama.follow;
  return (
    <Card title={text.title}>
      {withPanorama.length === 0 ? (
        <EmptyState title={text.emptyTitle} action={<Link href="/matches">{text.matches}</Link>}>
          {text.empty}
        </EmptyState>
      ) : (
        <>
          <Choice
            label={text.match}
            value={matchId}
            onChange={(event) => setMatchId(event.target.value || null)}
            options={[["", text.choose], ...withPanorama]}
          />
          {matchId && <FollowEditor key={matchId} matchId={matchId} />}
        </>
      )}
    </Card>
  );
}

function FollowEditor({ matchId }: { matchId: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const [at, setAt] = useState(0);
  const [zoom, setZoom] = useState(1);
  const [spots, setSpots] = useState<Keyframe[]>([]);
  const [used, setUsed] = useState<Keyframe[]>(spots);
  const jobs = (useChannel("jobs")?.jobs ?? []).filter(
    (job) => job.match_id === matchId && job.kind === "follow",
  );
  const newest = jobs[jobs.length - 1];
  const track = useTrack(matchId, newest);
  const text = words.panorama.follow;
  const make = useAction(
    async (keyframes: Keyframe[]) => {
      const params = { path: { match_id: matchId } };
      const body = { steps: ["follow" as const], follow: { zoom, keyframes } };
      await ask(api.POST("/api/v1/recordings/{match_id}/process", { params, body }));
      setUsed(keyframes);
    },
    { done: () => text.queued },
  );
  const isUnsaved = spots.length > 0 && spots !== used;
  const { confirm } = useFeedback();
  useNavigationGuard(isUnsaved, {
    leaves: ({ path, query }) => path !== "/panorama" || query.get("match") !== matchId,
    ask: () => confirm({ ...words.shell.leaving, body: text.leaveBody }),
  });
  const n = Math.round(at * (track.data?.rate_hz ?? 10));
  const looks = track.data && { x: track.data.x[n] ?? 0.5, y: track.data.y[n] ?? 0.5 };
  return (
    <div className="stack">
      <FollowVideo
        matchId={matchId}
        video={video}
        looks={looks}
        zoom={zoom}
        onTime={setAt}
        onChoose={(place) => setSpots((old) => withSpot(old, at, place))}
      />
      <Transport video={video} at={at} />
      <p className="muted small">{looks ? text.edit : text.none}</p>
      <Spots spots={spots} onRemove={(spot) => setSpots(spots.filter((each) => each !== spot))} />
      {isUnsaved && <Note tone="warn" title={text.unsaved(spots.length)} />}
      <div className="row">
        <Choice
          label={text.zoom}
          value={String(zoom)}
          onChange={(event) => setZoom(Number(event.target.value))}
          options={[
            ["1", text.whole],
            ["1.3", text.closer],
            ["1.6", text.close],
            ["2", text.veryClose],
          ]}
        />
        <Button tone="primary" disabled={make.isPending} onClick={() => make.mutate(spots)}>
          {looks ? text.createAgain : text.create}
        </Button>
      </div>
      {newest && <JobLine job={newest} />}
    </div>
  );
}

/** Where the video looks; read again when a job has made another. */
function useTrack(matchId: string, newest: Job | undefined) {
  return useQuery({
    queryKey: ["follow-track", matchId, newest?.state === "done" ? newest.job_id : null],
    queryFn: async (): Promise<FollowTrack | null> => {
      const answer = await fetch(matchPath(matchId, "files", "follow_track.json"));
      return answer.ok ? answer.json() : null;
    },
  });
}

/** The spots chosen by hand with one more; it replaces one that was chosen at the same time. */
function withSpot(spots: Keyframe[], at: number, { x, y }: Place): Keyframe[] {
  const next = { at_s: Number(at.toFixed(2)), x: Number(x.toFixed(4)), y: Number(y.toFixed(4)) };
  return [...spots.filter((spot) => Math.abs(spot.at_s - next.at_s) > 0.2), next].sort(
    (a, b) => a.at_s - b.at_s,
  );
}

function Spots({ spots, onRemove }: { spots: Keyframe[]; onRemove: (spot: Keyframe) => void }) {
  const text = words.panorama.follow;
  if (spots.length === 0) return null;
  return (
    <ul className="row" aria-label={text.spots}>
      {spots.map((spot) => (
        <li key={spot.at_s}>
          <Button
            size="small"
            aria-label={text.removeSpot(clock(spot.at_s))}
            onClick={() => onRemove(spot)}
          >
            {clock(spot.at_s)} ✕
          </Button>
        </li>
      ))}
    </ul>
  );
}

const TONES = {
  waiting: "plain",
  running: "info",
  paused: "warn",
  done: "good",
  failed: "bad",
  cancelled: "plain",
} as const satisfies Record<Job["state"], string>;

/** How far the newest video is. */
function JobLine({ job }: { job: Job }) {
  const text = words.panorama.follow;
  return (
    <>
      <p role="status">
        {text.title}: <Badge tone={TONES[job.state]}>{text.states[job.state]}</Badge>
      </p>
      {job.state === "running" && <Progress label={text.progress} value={job.progress} />}
      {job.error && <ErrorNote error={jobFailure(job.error)} />}
    </>
  );
}

import { useQuery } from "@tanstack/react-query";
import { type MouseEvent, type RefObject, useEffect, useRef, useState } from "react";
import { matchPath, useMatches } from "../../api/capture";
import { api, ask, type Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { clock } from "../../lib/format";
import { parseMatchId } from "../../lib/matchName";
import { Button, Card, Choice, Empty, Note } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import { playHls } from "../../video/hls";
import { Job } from "../library/Job";

type FollowTrack = { rate_hz: number; x: number[]; y: number[] };
/** A place in the panorama, in shares of its width and height. */
type Place = { x: number; y: number };
type Keyframe = Place & { at_s: number };

/** The cut that follows the play, drawn on the panorama it is cut from, and corrected by hand. */
export function FollowCut() {
  const matches = useMatches();
  const [matchId, setMatchId] = useState("");
  const withPanorama = Object.entries(matches.data ?? {}).filter(([, entry]) =>
    entry.files.some((file) => file.file === "panorama_archive.mp4"),
  );
  return (
    <Card title="Following cut">
      {withPanorama.length === 0 ? (
        <Empty>
          It is cut from a match's panorama. Make one on the page of a match, and look at it here.
        </Empty>
      ) : (
        <>
          <Choice
            label="Match"
            value={matchId}
            onChange={(event) => setMatchId(event.target.value)}
            options={[
              ["", "Choose a match"],
              ...withPanorama.map(([id]) => [id, parseMatchId(id).title] as const),
            ]}
          />
          {matchId && <FollowPreview key={matchId} matchId={matchId} />}
        </>
      )}
    </Card>
  );
}

function FollowPreview({ matchId }: { matchId: string }) {
  const video = useRef<HTMLVideoElement>(null);
  const [at, setAt] = useState(0);
  const [zoom, setZoom] = useState(1);
  const [keyframes, setKeyframes] = useState<Keyframe[]>([]);
  const jobs = (useChannel("jobs")?.jobs ?? []).filter(
    (job) => job.match_id === matchId && job.kind === "follow",
  );
  const newest = jobs[jobs.length - 1];
  const track = useTrack(matchId, newest);
  const make = useAction(
    () =>
      ask(
        api.POST("/api/v1/recordings/{match_id}/process", {
          params: { path: { match_id: matchId } },
          body: { steps: ["follow"], follow: { zoom, keyframes } },
        }),
      ),
    { done: () => "The cut is in the queue" },
  );
  const n = Math.round(at * (track.data?.rate_hz ?? 10));
  const looks = track.data && { x: track.data.x[n] ?? 0.5, y: track.data.y[n] ?? 0.5 };
  return (
    <div className="stack">
      <PanoramaVideo
        matchId={matchId}
        video={video}
        looks={looks}
        zoom={zoom}
        onTime={setAt}
        onChoose={(place) => setKeyframes((old) => withPlace(old, at, place))}
      />
      <Transport video={video} at={at} />
      <p className="muted small">
        {looks
          ? "The frame is what the cut shows. Where it looks wrong, choose the right spot in the picture; then make the cut again."
          : "There is no cut of this match yet. Make one, and its frame is drawn here."}
      </p>
      {keyframes.length > 0 && (
        <ul className="row" aria-label="Places chosen by hand">
          {keyframes.map((key) => (
            <li key={key.at_s}>
              <Button
                size="small"
                aria-label={`Remove the place at ${clock(key.at_s)}`}
                onClick={() => setKeyframes(keyframes.filter((each) => each !== key))}
              >
                {clock(key.at_s)} ✕
              </Button>
            </li>
          ))}
        </ul>
      )}
      <div className="row">
        <Choice
          label="Zoom"
          value={String(zoom)}
          onChange={(event) => setZoom(Number(event.target.value))}
          options={[
            ["1", "Whole height"],
            ["1.3", "Closer"],
            ["1.6", "Close"],
            ["2", "Very close"],
          ]}
        />
        <Button tone="primary" disabled={make.isPending} onClick={() => make.mutate(undefined)}>
          {looks ? "Make the cut again" : "Make the cut"}
        </Button>
      </div>
      {newest && <Job job={newest} />}
    </div>
  );
}

/** Where the cut looks; read again when a job has made another. */
function useTrack(matchId: string, newest: Schema["JobState"] | undefined) {
  return useQuery({
    queryKey: ["follow-track", matchId, newest?.state === "done" ? newest.job_id : null],
    queryFn: async (): Promise<FollowTrack | null> => {
      const answer = await fetch(matchPath(matchId, "files", "follow_track.json"));
      return answer.ok ? answer.json() : null;
    },
  });
}

/** The places chosen by hand with one more; it replaces one that was chosen at the same time. */
function withPlace(keyframes: Keyframe[], at: number, { x, y }: Place): Keyframe[] {
  const next = { at_s: Number(at.toFixed(2)), x: Number(x.toFixed(4)), y: Number(y.toFixed(4)) };
  return [...keyframes.filter((k) => Math.abs(k.at_s - next.at_s) > 0.2), next].sort(
    (a, b) => a.at_s - b.at_s,
  );
}

/** The panorama with the frame of the cut; tells its time, and where it is clicked. */
function PanoramaVideo({
  matchId,
  video,
  looks,
  zoom,
  onTime,
  onChoose,
}: {
  matchId: string;
  video: RefObject<HTMLVideoElement | null>;
  looks: Place | null | undefined;
  zoom: number;
  onTime: (at: number) => void;
  onChoose: (place: Place) => void;
}) {
  const [aspect, setAspect] = useState(32 / 11);
  const [failed, setFailed] = useState<string | null>(null);
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    return playHls(element, matchPath(matchId, "vod", "panorama.m3u8"), {
      live: false,
      failed: setFailed,
    });
  }, [matchId, video]);
  const click = (event: MouseEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    onChoose({
      x: (event.clientX - box.left) / box.width,
      y: (event.clientY - box.top) / box.height,
    });
  };
  return (
    <>
      {failed && <Note tone="bad" alert title={failed} />}
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the keyframes below are the other way */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: as above */}
      <div className="video wide" style={{ aspectRatio: aspect }} onClick={click}>
        <video
          ref={video}
          muted
          playsInline
          aria-label="Panorama of the match"
          onTimeUpdate={({ currentTarget }) => onTime(currentTarget.currentTime)}
          onLoadedMetadata={({ currentTarget }) =>
            setAspect(currentTarget.videoWidth / Math.max(1, currentTarget.videoHeight))
          }
        />
        {looks && <CutFrame looks={looks} zoom={zoom} aspect={aspect} />}
      </div>
    </>
  );
}

/** What the cut shows, drawn over a panorama of this aspect. */
function CutFrame({ looks, zoom, aspect }: { looks: Place; zoom: number; aspect: number }) {
  const height = 1 / zoom;
  const width = Math.min(1, (height * (16 / 9)) / aspect);
  return (
    <svg className="aids" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      <rect
        className="aid strong"
        x={Math.min(1 - width, Math.max(0, looks.x - width / 2)) * 100}
        y={Math.min(1 - height, Math.max(0, looks.y - height / 2)) * 100}
        width={width * 100}
        height={height * 100}
      />
    </svg>
  );
}

function Transport({ video, at }: { video: RefObject<HTMLVideoElement | null>; at: number }) {
  const seek = (to: number) => {
    if (video.current) video.current.currentTime = Math.max(0, to);
  };
  return (
    <div className="row">
      <Button
        onClick={() => (video.current?.paused ? video.current.play() : video.current?.pause())}
      >
        Play or pause
      </Button>
      <Button onClick={() => seek(at - 10)}>−10 s</Button>
      <Button onClick={() => seek(at + 10)}>+10 s</Button>
      <span className="number">{clock(at)}</span>
    </div>
  );
}

import { useCallback, useRef, useState } from "react";
import { matchPath } from "../../api/capture";
import { playHls, type Stretch } from "../../video/hls";
import { type Frames, noFrames, watchFrames } from "./frames";
import { correction, timeOf } from "./sync";

type Track = { video: HTMLVideoElement; stretches: Stretch[]; frames: Frames };
type Wanted = { at: number; playing: boolean; rate: number };

/** The pictures of a match that are shown, and what all of them are to do. */
export function usePictures(matchId: string, startAt: number) {
  const tracks = useRef(new Map<string, Track>());
  const wanted = useRef<Wanted>({ at: startAt, playing: false, rate: 1 });
  const [footage, setFootage] = useState<number | null>(null);
  // By picture: one that stays when others are chosen has failed all the same.
  const [failures, setFailures] = useState<Record<string, Error>>({});
  const attach = useCallback(
    (id: string, video: HTMLVideoElement) => {
      const track: Track = { video, stretches: [], frames: noFrames() };
      tracks.current.set(id, track);
      const end = playHls(video, matchPath(matchId, "vod", `${id}.m3u8`), {
        live: false,
        failed: (error) => setFailures((known) => ({ ...known, [id]: error })),
        timed: (stretches) => {
          const isFirst = track.stretches.length === 0;
          track.stretches = stretches;
          setFootage((known) => Math.max(known ?? 0, endOf(stretches)));
          if (isFirst) join(track, wanted.current);
        },
      });
      const unwatch = watchFrames(video, track.frames);
      return () => {
        tracks.current.delete(id);
        setFailures(({ [id]: _, ...others }) => others);
        unwatch();
        end();
      };
    },
    [matchId],
  );
  return { tracks, wanted, attach, failures, footage };
}

/** Lets what is shown later begin where the others are. */
function join({ video, stretches }: Track, { at, playing, rate }: Wanted) {
  const time = timeOf(stretches, at);
  if (time !== null && at > 0) video.currentTime = time;
  video.playbackRate = rate;
  if (playing) video.play().catch(() => undefined); // paused again before it began
}

/** Brings pictures to the instant that the leading one shows. */
export function follow(tracks: Track[], instant: number, rate: number) {
  for (const { video, stretches } of tracks) {
    const time = timeOf(stretches, instant);
    if (time === null || video.seeking) continue;
    const { seek, rate: to } = correction(time - video.currentTime, rate);
    if (seek) video.currentTime = time;
    if (video.playbackRate !== to) video.playbackRate = to;
  }
}

/** The second of the match at which the footage ends. */
function endOf(stretches: Stretch[]): number {
  const last = stretches[stretches.length - 1];
  return last ? last.filmedAt + last.duration : 0;
}

import { type RefObject, useEffect, useState } from "react";
import { matchPath } from "../../api/capture";
import { clock } from "../../lib/format";
import { words } from "../../messages";
import { Button, ErrorNote } from "../../ui/basics";
import { playHls } from "../../video/hls";
import pictures from "../../video/Video.module.css";
import { type Place, PointSurface } from "./PointSurface";

/** The panorama with the frame of the video; tells its time, and which spot is chosen. */
export function FollowVideo({
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
  const [failed, setFailed] = useState<Error | null>(null);
  const text = words.panorama.follow;
  useEffect(() => {
    const element = video.current;
    if (!element) return;
    return playHls(element, matchPath(matchId, "vod", "panorama.m3u8"), {
      live: false,
      failed: setFailed,
    });
  }, [matchId, video]);
  return (
    <>
      <ErrorNote error={failed} />
      <div className={`${pictures.frame} ${pictures.wide}`} style={{ aspectRatio: aspect }}>
        <video
          ref={video}
          muted
          playsInline
          aria-label={text.video}
          onTimeUpdate={({ currentTarget }) => onTime(currentTarget.currentTime)}
          onLoadedMetadata={({ currentTarget }) =>
            setAspect(currentTarget.videoWidth / Math.max(1, currentTarget.videoHeight))
          }
        />
        {looks && <CutFrame looks={looks} zoom={zoom} aspect={aspect} />}
        <PointSurface label={text.keys} onPoint={onChoose} />
      </div>
    </>
  );
}

/** What the video shows, drawn over a panorama of this aspect. */
function CutFrame({ looks, zoom, aspect }: { looks: Place; zoom: number; aspect: number }) {
  const height = 1 / zoom;
  const width = Math.min(1, (height * (16 / 9)) / aspect);
  return (
    <svg
      className={pictures.aids}
      viewBox="0 0 100 100"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect
        className={`${pictures.aid} ${pictures.strong}`}
        x={Math.min(1 - width, Math.max(0, looks.x - width / 2)) * 100}
        y={Math.min(1 - height, Math.max(0, looks.y - height / 2)) * 100}
        width={width * 100}
        height={height * 100}
      />
    </svg>
  );
}

/** Plays, pauses, and goes ten seconds back or forward. */
export function Transport({
  video,
  at,
}: {
  video: RefObject<HTMLVideoElement | null>;
  at: number;
}) {
  const [isPlaying, setPlaying] = useState(false);
  const text = words.panorama.follow;
  const seek = (to: number) => {
    if (video.current) video.current.currentTime = Math.max(0, to);
  };
  useEffect(() => {
    const element = video.current;
    const look = () => setPlaying(element?.paused === false);
    for (const event of ["play", "pause", "ended"]) element?.addEventListener(event, look);
    return () => {
      for (const event of ["play", "pause", "ended"]) element?.removeEventListener(event, look);
    };
  }, [video]);
  const toggle = () => {
    if (!isPlaying) void video.current?.play().catch(() => setPlaying(false));
    else video.current?.pause();
  };
  return (
    <div className="row">
      <Button onClick={toggle}>{isPlaying ? text.pause : text.play}</Button>
      <Button aria-label={text.back} onClick={() => seek(at - 10)}>
        −10 s
      </Button>
      <Button aria-label={text.forward} onClick={() => seek(at + 10)}>
        +10 s
      </Button>
      <span className="number">{clock(at)}</span>
    </div>
  );
}

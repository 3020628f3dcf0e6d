import { Camera as CameraIcon, Expand } from "lucide-react";
import { useRef } from "react";
import { useMatchTitle } from "../../api/capture";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import { timeNow, today } from "../../lib/matchName";
import { saveBlob } from "../../lib/saveBlob";
import { words } from "../../messages";
import { Button } from "../../ui/basics";
import { CopyLink } from "../../ui/CopyLink";
import { useAction } from "../../ui/feedback";
import { LiveVideo } from "../../video/LiveVideo";
import pictures from "../../video/Video.module.css";
import { useZoom, ZoomButtons, ZoomFrame } from "../../video/Zoom";

export const AIDS = ["grid", "level", "overlap"] as const;
export type Aid = (typeof AIDS)[number];

type Framing = { aids: readonly Aid[]; overlap: number | null; side: number };

/** A live picture that can be zoomed, saved, linked to, and shown on the full screen. */
export function Picture({
  stream,
  label,
  wide,
  ...framing
}: { stream: string; label: string; wide?: boolean } & Framing) {
  const video = useRef<HTMLVideoElement>(null);
  const zoom = useZoom();
  const match = useChannel("status")?.recording.match_id ?? null;
  const titleOf = useMatchTitle();
  const text = words.preview;
  const snapshot = useAction(
    async () => {
      const name = fileName(label, match === null ? null : titleOf(match));
      const picture = stream === "panorama" ? await drawn(video.current) : await still(stream);
      saveBlob(picture, name);
      return name;
    },
    { done: text.saved },
  );
  return (
    <ZoomFrame label={label} zoom={zoom}>
      <div style={{ "--view": zoom.style.transform } as React.CSSProperties}>
        <LiveVideo
          stream={stream}
          label={label}
          wide={wide}
          videoRef={video}
          className={`${pictures.zoomable} ${zoom.view.zoom > 1 ? pictures.zoomed : ""}`}
          overlay={<AidLines {...framing} />}
          tools={
            <>
              <ZoomButtons zoom={zoom} />
              <CopyLink path={`/hls/${stream}.m3u8`} label={text.liveNamed(label)} icon />
              <Button
                size="small"
                icon
                aria-label={text.snapshotOf(label)}
                onClick={() => snapshot.mutate(undefined)}
              >
                <CameraIcon size={18} aria-hidden />
              </Button>
              <Button
                size="small"
                icon
                aria-label={text.fullScreen(label)}
                onClick={() => fullScreen(zoom.frame.current)}
              >
                <Expand size={18} aria-hidden />
              </Button>
            </>
          }
        />
      </div>
    </ZoomFrame>
  );
}

function AidLines({ aids, overlap, side }: Framing) {
  const thirds = [1 / 3, 2 / 3].map((share) => share * 100);
  return (
    <svg
      className={pictures.aids}
      viewBox="0 0 100 100"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {aids.includes("overlap") && overlap !== null && (
        <rect
          x={side === 0 ? 100 - overlap * 100 : 0}
          y="0"
          width={overlap * 100}
          height="100"
          fill="rgb(76 198 138 / 35%)"
        />
      )}
      {aids.includes("grid") &&
        thirds.flatMap((at) => [
          <path key={`v${at}`} d={`M${at} 0V100`} className={pictures.aid} />,
          <path key={`h${at}`} d={`M0 ${at}H100`} className={pictures.aid} />,
        ])}
      {aids.includes("level") && (
        <path d="M0 50H100M50 44V56" className={`${pictures.aid} ${pictures.strong}`} />
      )}
    </svg>
  );
}

function fullScreen(element: HTMLElement | null) {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void element?.requestFullscreen?.();
}

/** What a picture is saved as: day, title of the match that is recorded, camera, and time. */
export function fileName(label: string, match: string | null, now: Date = new Date()): string {
  const of = match === null ? "" : ` ${match}`;
  return `${today(now)}${of} ${label} ${timeNow(now)}.jpg`;
}

/** A camera's own still, which the server takes. */
async function still(stream: string): Promise<Blob> {
  const path = { camera_id: Number(stream.slice(3)) };
  return (await ask(
    api.GET("/api/v1/cameras/{camera_id}/snapshot.jpg", { params: { path }, parseAs: "blob" }),
  )) as Blob;
}

/** The picture that the video shows at the moment. */
async function drawn(video: HTMLVideoElement | null): Promise<Blob> {
  if (!video?.videoWidth) throw new Error(words.preview.noPicture);
  const canvas = Object.assign(document.createElement("canvas"), {
    width: video.videoWidth,
    height: video.videoHeight,
  });
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.92));
  if (!blob) throw new Error(words.preview.notDrawn);
  return blob;
}

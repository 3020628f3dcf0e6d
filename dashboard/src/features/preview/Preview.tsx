import { Camera as CameraIcon, Expand } from "lucide-react";
import { useRef, useState } from "react";
import { messageOf } from "../../api/http";
import { useChannel } from "../../api/live";
import { timeNow, today } from "../../lib/matchName";
import { Button, Empty, Loading, Note } from "../../ui/basics";
import { CopyLink } from "../../ui/CopyLink";
import { useAction } from "../../ui/feedback";
import { LiveVideo } from "../../video/LiveVideo";
import { useZoom, ZoomButtons, ZoomFrame } from "../../video/Zoom";

type Aids = { grid: boolean; level: boolean; overlap: boolean };

export default function Preview() {
  const cameras = useChannel("cameras")?.cameras;
  const told = useChannel("panorama_status");
  const [aids, setAids] = useState<Aids>({ grid: false, level: false, overlap: false });
  const [shows, setShows] = useState<"cameras" | "panorama">("cameras");
  const overlap = overlapOf(told?.panorama.calibration_info);
  const calibrated = told?.calibration.calibrated === true;
  const toggle = (name: keyof Aids) => setAids((old) => ({ ...old, [name]: !old[name] }));
  return (
    <div className="page">
      <div className="page-head">
        <h1>Preview</h1>
        <div className="row">
          <Button aria-pressed={shows === "cameras"} onClick={() => setShows("cameras")}>
            Cameras
          </Button>
          <Button aria-pressed={shows === "panorama"} onClick={() => setShows("panorama")}>
            Panorama
          </Button>
        </div>
      </div>
      <div className="row">
        <span className="muted">Framing aids</span>
        <Button size="small" aria-pressed={aids.grid} onClick={() => toggle("grid")}>
          Grid
        </Button>
        <Button size="small" aria-pressed={aids.level} onClick={() => toggle("level")}>
          Level
        </Button>
        {shows === "cameras" && (
          <Button
            size="small"
            aria-pressed={aids.overlap}
            disabled={overlap === null}
            title={overlap === null ? "Calibrate first: then it is known what both see" : undefined}
            onClick={() => toggle("overlap")}
          >
            Overlap
          </Button>
        )}
      </div>
      {shows === "panorama" ? (
        <>
          {told && !calibrated && (
            <Note title="There is no calibration yet">
              The two views are shown side by side. The page Panorama joins them.
            </Note>
          )}
          <Picture stream="panorama" label="Panorama" wide aids={aids} overlap={null} side={0} />
        </>
      ) : cameras === undefined ? (
        <Loading />
      ) : cameras.length === 0 ? (
        <Empty>No camera is configured.</Empty>
      ) : (
        <div className="videos">
          {cameras.map((camera) => (
            <Picture
              key={camera.id}
              stream={`cam${camera.id}`}
              label={camera.name}
              aids={aids}
              overlap={overlap}
              side={camera.id}
            />
          ))}
        </div>
      )}
    </div>
  );
}

/** What share of a picture's width the other camera sees too; null where nothing is known. */
export function overlapOf(info: Record<string, unknown> | undefined): number | null {
  const overlap = info?.overlap;
  return typeof overlap === "number" && overlap > 0 ? Math.min(1, overlap) : null;
}

function Picture({
  stream,
  label,
  wide,
  aids,
  overlap,
  side,
}: {
  stream: string;
  label: string;
  wide?: boolean;
  aids: Aids;
  overlap: number | null;
  side: number;
}) {
  const video = useRef<HTMLVideoElement>(null);
  const zoom = useZoom();
  const snapshot = useAction(() => save(stream, label, video.current), {
    done: (name) => `Saved as ${name}`,
  });
  return (
    <ZoomFrame label={label} zoom={zoom}>
      <div style={{ "--view": zoom.style.transform } as React.CSSProperties}>
        <LiveVideo
          stream={stream}
          label={label}
          wide={wide}
          videoRef={video}
          className={zoom.view.zoom > 1 ? "zoomed zoomable" : "zoomable"}
          overlay={<AidLines aids={aids} overlap={overlap} side={side} />}
          tools={
            <>
              <ZoomButtons zoom={zoom} />
              <CopyLink path={`/hls/${stream}.m3u8`} label={`${label}, live`} icon />
              <Button
                size="small"
                icon
                aria-label={`Snapshot of ${label}`}
                onClick={() => snapshot.mutate(undefined)}
              >
                <CameraIcon size={18} aria-hidden />
              </Button>
              <Button
                size="small"
                icon
                aria-label={`${label} on the full screen`}
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

function AidLines({ aids, overlap, side }: { aids: Aids; overlap: number | null; side: number }) {
  const thirds = [1 / 3, 2 / 3].map((share) => share * 100);
  return (
    <svg className="aids" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">
      {aids.overlap && overlap !== null && (
        <rect
          x={side === 0 ? 100 - overlap * 100 : 0}
          y="0"
          width={overlap * 100}
          height="100"
          fill="rgb(76 198 138 / 35%)"
        />
      )}
      {aids.grid &&
        thirds.flatMap((at) => [
          <path key={`v${at}`} d={`M${at} 0V100`} className="aid" />,
          <path key={`h${at}`} d={`M0 ${at}H100`} className="aid" />,
        ])}
      {aids.level && <path d="M0 50H100M50 44V56" className="aid strong" />}
    </svg>
  );
}

function fullScreen(element: HTMLElement | null) {
  if (document.fullscreenElement) void document.exitFullscreen();
  else void element?.requestFullscreen?.();
}

/** Saves what is seen: a camera's still from the server, the panorama's from the page. */
async function save(stream: string, label: string, video: HTMLVideoElement | null) {
  const name = `${today()} ${timeNow()} ${label}.jpg`;
  const picture = stream === "panorama" ? await drawn(video) : await still(stream);
  const url = URL.createObjectURL(picture);
  const link = Object.assign(document.createElement("a"), { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  return name;
}

async function still(stream: string): Promise<Blob> {
  const answer = await fetch(`/api/v1/cameras/${stream.slice(3)}/snapshot.jpg`);
  if (!answer.ok) throw new Error(messageOf(await answer.json().catch(() => null), answer));
  return answer.blob();
}

async function drawn(video: HTMLVideoElement | null): Promise<Blob> {
  if (!video?.videoWidth) throw new Error("There is no picture yet");
  const canvas = Object.assign(document.createElement("canvas"), {
    width: video.videoWidth,
    height: video.videoHeight,
  });
  canvas.getContext("2d")?.drawImage(video, 0, 0);
  const blob = await new Promise<Blob | null>((done) => canvas.toBlob(done, "image/jpeg", 0.92));
  if (!blob) throw new Error("The browser made no picture of it");
  return blob;
}

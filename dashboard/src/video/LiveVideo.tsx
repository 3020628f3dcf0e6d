import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { useConnection } from "../api/live";
import { playLive } from "./playLive";

type State = { via: "webrtc" | "hls"; playing: boolean; message: string | null };

const AGAIN_AFTER_MS = 4_000;
const LONGEST_AGAIN_MS = 30_000;

/**
 * A live picture: over WebRTC, and where that does not come about over HLS. It tries again by
 * itself as long as it is shown; `stream` is `cam0`, `cam1` … or `panorama`.
 */
export function LiveVideo({
  stream,
  label,
  wide,
  overlay,
  tools,
  videoRef,
  className = "",
}: {
  stream: string;
  label: string;
  wide?: boolean;
  overlay?: ReactNode;
  tools?: ReactNode;
  videoRef?: RefObject<HTMLVideoElement | null>;
  className?: string;
}) {
  const own = useRef<HTMLVideoElement>(null);
  const element = videoRef ?? own;
  const open = useConnection() === "open";
  const state = useLive(element, stream, open);
  const message = open ? state.message : "Not connected to the server";
  return (
    <div className={`video ${wide ? "wide" : ""} ${className}`} data-via={state.via}>
      <div className="video-label">
        <span>{label}</span>
        {state.playing && open && <span>{state.via === "webrtc" ? "WebRTC" : "HLS"}</span>}
      </div>
      <video
        ref={element}
        muted
        autoPlay
        playsInline
        aria-label={`${label}, live`}
        data-playing={state.playing}
      />
      {overlay}
      {message && <div className="video-message">{message}</div>}
      {tools && <div className="video-tools">{tools}</div>}
    </div>
  );
}

/** Shows the stream in the element as long as the connection is open; how far it has come. */
function useLive(
  element: RefObject<HTMLVideoElement | null>,
  stream: string,
  open: boolean,
): State {
  const [state, setState] = useState<State>({
    via: "webrtc",
    playing: false,
    message: "Connecting…",
  });
  const [attempt, setAttempt] = useState(0);
  const failures = useRef(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt begins anew
  useEffect(() => {
    const video = element.current;
    if (!video || !open) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const playing = () => {
      failures.current = 0;
      setState((now) => ({ ...now, playing: true, message: null }));
    };
    video.addEventListener("playing", playing);
    setState({ via: "webrtc", playing: false, message: "Connecting…" });
    const end = playLive(video, stream, {
      overHls: () => setState({ via: "hls", playing: false, message: "Over HLS…" }),
      failed: (message) => {
        failures.current += 1;
        setState((now) => ({ ...now, playing: false, message }));
        const wait = Math.min(AGAIN_AFTER_MS * failures.current, LONGEST_AGAIN_MS);
        timer = setTimeout(() => setAttempt((n) => n + 1), wait);
      },
    });
    return () => {
      clearTimeout(timer);
      video.removeEventListener("playing", playing);
      end();
    };
  }, [stream, open, attempt, element]);
  return state;
}

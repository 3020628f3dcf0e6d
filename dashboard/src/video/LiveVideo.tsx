import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { useConnection } from "../api/live";
import { words } from "../messages";
import { Details } from "../ui/basics";
import { playLive } from "./playLive";
import styles from "./Video.module.css";

type Progress = "connecting" | "slower" | "none";
type State = {
  via: "webrtc" | "hls";
  playing: boolean;
  /** How far it has come, until it plays. */
  progress: Progress | null;
  /** Why there is no picture, in the words of programs. */
  reason: string | null;
};

const AGAIN_AFTER_MS = 4_000;
const LONGEST_AGAIN_MS = 30_000;
const BEGINNING: State = { via: "webrtc", playing: false, progress: "connecting", reason: null };

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
  const { live } = words.matchday;
  const message = !open ? live.notConnected : state.progress && live[state.progress];
  return (
    <div className={`${styles.frame} ${wide ? styles.wide : ""} ${className}`} data-via={state.via}>
      <div className={styles.label}>
        <span>{label}</span>
        {state.playing && open && <span>{state.via === "webrtc" ? "WebRTC" : "HLS"}</span>}
      </div>
      <video
        ref={element}
        muted
        autoPlay
        playsInline
        aria-label={live.picture(label)}
        data-playing={state.playing}
      />
      {overlay}
      {message && (
        <div className={styles.message}>
          {message}
          {open && state.reason && (
            <div className={styles.reason}>
              <Details lines={[state.reason]} />
            </div>
          )}
        </div>
      )}
      {tools && <div className={styles.tools}>{tools}</div>}
    </div>
  );
}

/** Shows the stream in the element as long as the connection is open; how far it has come. */
function useLive(
  element: RefObject<HTMLVideoElement | null>,
  stream: string,
  open: boolean,
): State {
  const [state, setState] = useState<State>(BEGINNING);
  const [attempt, setAttempt] = useState(0);
  const failures = useRef(0);

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt begins anew
  useEffect(() => {
    const video = element.current;
    if (!video || !open) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const playing = () => {
      failures.current = 0;
      setState((now) => ({ ...now, playing: true, progress: null, reason: null }));
    };
    video.addEventListener("playing", playing);
    // Why there was none stays to be read until there is one.
    setState(({ reason }) => ({ ...BEGINNING, reason }));
    const end = playLive(video, stream, {
      overHls: () =>
        setState((now) => ({ ...now, via: "hls", playing: false, progress: "slower" })),
      failed: (reason) => {
        failures.current += 1;
        setState((now) => ({ ...now, playing: false, progress: "none", reason }));
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

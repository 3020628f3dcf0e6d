import { type ReactNode, type RefObject, useEffect, useRef, useState } from "react";
import { api, ask } from "../api/http";
import { useConnection } from "../api/live";
import { playHls } from "./hls";
import { sessionsSettled, WebRtcView } from "./webrtc";

type Via = "webrtc" | "hls";
type State = { via: Via; playing: boolean; message: string | null };

/** The panorama of which this page has just said that it is not shown any more. */
let leaving: Promise<unknown> = Promise.resolve();

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
  const connection = useConnection();
  const [state, setState] = useState<State>({
    via: "webrtc",
    playing: false,
    message: "Connecting…",
  });
  const [attempt, setAttempt] = useState(0);
  const failures = useRef(0);
  const open = connection === "open";

  // biome-ignore lint/correctness/useExhaustiveDependencies: a new attempt begins anew
  useEffect(() => {
    const video = element.current;
    if (!video || !open) return;
    let over = false;
    let end: () => void = () => undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const again = (message: string) => {
      failures.current += 1;
      setState((now) => ({ ...now, playing: false, message }));
      const wait = Math.min(AGAIN_AFTER_MS * failures.current, LONGEST_AGAIN_MS);
      timer = setTimeout(() => setAttempt((n) => n + 1), wait);
    };
    const fallBack = async (reason: string) => {
      setState({ via: "hls", playing: false, message: "Over HLS…" });
      const unsaid = await askForHls(stream);
      if (timer !== undefined || over) return;
      if (unsaid !== null) {
        again(unsaid || reason);
        return;
      }
      const stop = playHls(video, `/hls/${stream}.m3u8`, { live: true, failed: again });
      end = () => {
        stop();
        // Stitching costs a core as long as it is shown; viewers over HLS are not counted.
        if (stream === "panorama") {
          leaving = api.POST("/api/v1/panorama/preview/stop").catch(() => undefined);
        }
      };
    };
    const playing = () => {
      failures.current = 0;
      setState((now) => ({ ...now, playing: true, message: null }));
    };
    video.addEventListener("playing", playing);
    setState({ via: "webrtc", playing: false, message: "Connecting…" });
    let view: WebRtcView | undefined;
    const begin = () => {
      if (over) return;
      view = new WebRtcView(
        stream === "panorama" ? stream : `main_${stream}`,
        (media) => {
          video.srcObject = media;
        },
        (reason) => {
          video.srcObject = null;
          if (!over) fallBack(reason).catch((error: Error) => over || again(error.message));
        },
      );
    };
    // It holds the cameras until the server has heard that nobody watches it.
    void Promise.all([leaving, sessionsSettled()]).then(begin);
    return () => {
      over = true;
      clearTimeout(timer);
      video.removeEventListener("playing", playing);
      view?.close();
      end();
      video.srcObject = null;
    };
  }, [stream, open, attempt, element]);

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

/** Has the stream shown over HLS; why that is refused, or null where it is shown. */
async function askForHls(stream: string): Promise<string | null> {
  try {
    if (stream === "panorama") {
      const done = await ask(
        api.POST("/api/v1/panorama/preview/start", { body: { transport: "hls" } }),
      );
      return done.success ? null : done.message;
    }
    const done = await ask(
      api.POST("/api/v1/preview", {
        body: { camera_id: Number(stream.slice(3)), transport: "hls" },
      }),
    );
    return done.success ? null : done.message;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

import { api, ask } from "../api/http";
import { errorText } from "../lib/errorWords";
import { words } from "../messages";
import { playHls } from "./hls";
import { sessionsSettled, WebRtcView } from "./webrtc";

/** The panorama of which this page has just said that it is not shown any more. */
let leaving: Promise<unknown> = Promise.resolve();

type Told = {
  /** WebRTC did not come about. */
  overHls: () => void;
  /** Neither did HLS, or it ended; it is not tried again. */
  failed: (reason: string) => void;
};

/**
 * Plays a live stream in a video element: over WebRTC, and where that does not come about over HLS;
 * returns what ends it.
 */
export function playLive(video: HTMLVideoElement, stream: string, told: Told): () => void {
  let over = false;
  let view: WebRtcView | undefined;
  let endHls: () => void = () => undefined;
  const fallBack = async (reason: string) => {
    told.overHls();
    const refusal = await askForHls(stream);
    if (over) return;
    if (refusal === null) endHls = playOverHls(video, stream, told.failed);
    else told.failed(refusal || reason);
  };
  const begin = () => {
    if (over) return;
    view = new WebRtcView(
      stream === "panorama" ? stream : `main_${stream}`,
      (media) => {
        video.srcObject = media;
      },
      (reason) => {
        video.srcObject = null;
        if (!over) fallBack(reason).catch((error: Error) => over || told.failed(error.message));
      },
    );
  };
  // It holds the cameras until the server has heard that nobody watches it.
  void Promise.all([leaving, sessionsSettled()]).then(begin);
  return () => {
    over = true;
    view?.close();
    endHls();
    video.srcObject = null;
  };
}

function playOverHls(video: HTMLVideoElement, stream: string, failed: (reason: string) => void) {
  const stop = playHls(video, `/hls/${stream}.m3u8`, {
    live: true,
    failed: (error) => failed(errorText(error)),
  });
  return () => {
    stop();
    // Stitching costs a core as long as it is shown; viewers over HLS are not counted.
    if (stream === "panorama") {
      leaving = api.POST("/api/v1/panorama/preview/stop").catch(() => undefined);
    }
  };
}

/** Has the server offer the stream over HLS; why that is refused, or null where it is offered. */
async function askForHls(stream: string): Promise<string | null> {
  try {
    if (stream === "panorama") {
      const done = await ask(
        api.POST("/api/v1/panorama/preview/start", { body: { transport: "hls" } }),
      );
      return done.success ? null : words.preview.tooLate;
    }
    const done = await ask(
      api.POST("/api/v1/preview", {
        body: { camera_id: Number(stream.slice(3)), transport: "hls" },
      }),
    );
    return done.success ? null : words.preview.cameraSilent;
  } catch (error) {
    return errorText(error);
  }
}

import type Hls from "hls.js";
import { refusal } from "../api/http";
import { words } from "../messages";

/**
 * A stretch of a playlist: where it stands in the video, and when it was filmed, in seconds of the
 * match. A date would change when the server's clock is set.
 */
export type Stretch = { start: number; duration: number; filmedAt: number };

const REASON_WITHIN_MS = 5000;
const MOST_RECOVERIES = 2;

type Options = {
  live: boolean;
  failed: (error: Error) => void;
  /** Told whenever it becomes known, or better known, when which part was filmed. */
  timed?: (stretches: Stretch[]) => void;
};

/** Plays a playlist in a video element; returns what ends it. hls.js is loaded where it is needed. */
export function playHls(video: HTMLVideoElement, url: string, options: Options): () => void {
  const { live, failed, timed } = options;
  let over = false;
  let gaveUp = false;
  let player: Hls | null = null;
  let recovered = 0;
  let recoveredAt = Number.NEGATIVE_INFINITY;
  // A decoder that came no further since the last time will not come further the next time.
  const mayGoOn = () => {
    const onwards = Math.abs(video.currentTime - recoveredAt) > 1;
    recovered = onwards ? 1 : recovered + 1;
    recoveredAt = video.currentTime;
    return recovered <= MOST_RECOVERIES;
  };
  const start = async () => {
    const { default: Player } = await import("hls.js/light");
    if (over) return;
    if (!Player.isSupported()) {
      // Safari on a phone plays playlists by itself.
      video.src = url;
      video.onerror = () => failed(new Error(words.player.unsupported));
      // It tells no dates: right to the moment at which the camera began, up to the first long gap.
      video.ondurationchange = () => {
        const { duration } = video;
        if (Number.isFinite(duration)) timed?.([{ start: 0, duration, filmedAt: 0 }]);
      };
      return;
    }
    player = new Player(
      live
        ? { lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.5, backBufferLength: 10 }
        : { maxBufferLength: 20, backBufferLength: 30, startPosition: 0 },
    );
    player.on(Player.Events.ERROR, (_, data) => {
      if (!data.fatal || gaveUp) return;
      if (data.type === Player.ErrorTypes.MEDIA_ERROR && player) {
        if (mayGoOn()) {
          player.recoverMediaError();
          return;
        }
        gaveUp = true;
        player.destroy();
        player = null;
        failed(new Error(words.player.undecodable));
        return;
      }
      gaveUp = true;
      const asked = data.response?.url ?? data.url ?? url;
      reasonOf(asked, data.details).then((error) => over || failed(error));
    });
    if (timed) {
      const tell = (_: unknown, { details }: { details: Details }) => timed(stretchesOf(details));
      player.on(Player.Events.LEVEL_UPDATED, tell);
      player.on(Player.Events.LEVEL_PTS_UPDATED, tell);
    }
    player.loadSource(url);
    player.attachMedia(video);
  };
  start().catch((error: Error) => over || failed(error));
  return () => {
    over = true;
    player?.destroy();
    video.onerror = null;
    video.ondurationchange = null;
    video.removeAttribute("src");
    video.load();
  };
}

type Fragment = { start: number; duration: number; programDateTime: number | null };
type Details = {
  fragments: Fragment[];
  dateRanges: Record<string, { startDate: Date } | undefined>;
};

/** The stretches of a playlist; its date range `match` begins with the match. */
export function stretchesOf({ fragments, dateRanges }: Details): Stretch[] {
  const began = dateRanges.match?.startDate.getTime() ?? fragments[0]?.programDateTime ?? 0;
  return fragments.map(({ start, duration, programDateTime }) => ({
    start,
    duration,
    filmedAt: ((programDateTime ?? began) - began) / 1000,
  }));
}

/** Why a player could not load something: what the server says, which players do not keep. */
export async function reasonOf(url: string, otherwise: string): Promise<Error> {
  try {
    const answer = await fetch(url, {
      headers: { Range: "bytes=0-0" },
      signal: AbortSignal.timeout(REASON_WITHIN_MS),
    });
    if (answer.ok) return new Error(otherwise);
    return refusal(await answer.json().catch(() => undefined), answer);
  } catch {
    return new Error(words.player.unreached);
  }
}

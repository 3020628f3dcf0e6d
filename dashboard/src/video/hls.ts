import type Hls from "hls.js";

/** A stretch of a playlist: where it stands in the video, and when it was filmed (Unix seconds). */
export type Stretch = { start: number; duration: number; filmedAt: number };

type Options = {
  live: boolean;
  failed: (reason: string) => void;
  /** Told whenever it becomes known, or better known, when which part was filmed. */
  timed?: (stretches: Stretch[]) => void;
};

/** Plays a playlist in a video element; returns what ends it. hls.js is loaded where it is needed. */
export function playHls(video: HTMLVideoElement, url: string, options: Options): () => void {
  const { live, failed, timed } = options;
  let over = false;
  let player: Hls | null = null;
  const start = async () => {
    const { default: Player } = await import("hls.js/light");
    if (over) return;
    if (!Player.isSupported()) {
      // Safari on a phone plays playlists by itself.
      video.src = url;
      video.onerror = () => failed("the browser cannot play this stream");
      return;
    }
    player = new Player(
      live
        ? { lowLatencyMode: true, maxLiveSyncPlaybackRate: 1.5, backBufferLength: 10 }
        : { maxBufferLength: 20, backBufferLength: 30, startPosition: 0 },
    );
    player.on(Player.Events.ERROR, (_, data) => {
      if (!data.fatal) return;
      if (data.type === Player.ErrorTypes.MEDIA_ERROR && player) player.recoverMediaError();
      else failed(data.response?.text || data.details);
    });
    if (timed) {
      const tell = (_: unknown, { details }: { details: { fragments: Fragment[] } }) =>
        timed(details.fragments.map(stretchOf));
      player.on(Player.Events.LEVEL_UPDATED, tell);
      player.on(Player.Events.LEVEL_PTS_UPDATED, tell);
    }
    player.loadSource(url);
    player.attachMedia(video);
  };
  start().catch((error: Error) => over || failed(error.message));
  return () => {
    over = true;
    player?.destroy();
    video.onerror = null;
    video.removeAttribute("src");
    video.load();
  };
}

type Fragment = { start: number; duration: number; programDateTime: number | null };

const stretchOf = ({ start, duration, programDateTime }: Fragment): Stretch => ({
  start,
  duration,
  filmedAt: (programDateTime ?? 0) / 1000,
});

/** The frame of a video that is shown: the time at which it begins, and how long the last ones took. */
export type Frames = { at: number | null; lengths: number[] };

const USUAL_S = 1 / 30;
const MOST_S = 0.25;
const KEPT = 15;
const SLACK_S = 0.001;

export const noFrames = (): Frames => ({ at: null, lengths: [] });

/** Note the frames that a video shows, where the browser tells; returns what ends it. */
export function watchFrames(video: HTMLVideoElement, frames: Frames): () => void {
  if (!("requestVideoFrameCallback" in video)) return () => undefined;
  const note = (_: number, { mediaTime }: { mediaTime: number }) => {
    const since = mediaTime - (frames.at ?? mediaTime);
    if (since > SLACK_S && since < MOST_S)
      frames.lengths = [since, ...frames.lengths].slice(0, KEPT);
    frames.at = mediaTime;
    handle = video.requestVideoFrameCallback(note);
  };
  let handle = video.requestVideoFrameCallback(note);
  return () => video.cancelVideoFrameCallback(handle);
}

/** How long a frame takes. Frames that a busy machine left out make some of the lengths too long. */
export function frameLength({ lengths }: Frames): number {
  const sorted = [...lengths].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 3)] ?? USUAL_S;
}

/** The middle of the frame before (-1) or after (1) the one that is shown at `time`. */
export function beside(frames: Frames, time: number, by: -1 | 1): number {
  const length = frameLength(frames);
  const { at } = frames;
  // One that was shown before a seek, which is not done yet, tells nothing.
  const begins = at !== null && time > at - SLACK_S && time < at + length ? at : time - length / 2;
  return Math.max(0, begins + (by + 0.5) * length);
}

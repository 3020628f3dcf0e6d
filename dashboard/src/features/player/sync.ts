import type { Stretch } from "../../video/hls";

/** At which second of the match that was filmed which is at `time` of the video; null where nothing is known yet. */
export function filmedAt(stretches: Stretch[], time: number): number | null {
  const found = last(stretches, (stretch) => stretch.start <= time) ?? stretches[0];
  if (!found) return null;
  return found.filmedAt + Math.min(found.duration, Math.max(0, time - found.start));
}

/** Where in the video that stands which was filmed `at` then, or what was filmed last before it. */
export function timeOf(stretches: Stretch[], at: number): number | null {
  const found = last(stretches, (stretch) => stretch.filmedAt <= at) ?? stretches[0];
  if (!found) return null;
  // A frame's width short of the end: the end itself belongs to the next stretch.
  const within = Math.min(Math.max(0, found.duration - 0.04), Math.max(0, at - found.filmedAt));
  return found.start + within;
}

const SEEK_BEYOND_S = 0.4;
const EVEN_S = 0.03;
const MOST_RATE_CHANGE = 0.15;

/**
 * How the second picture follows the first: `behind` is by how many seconds it is late. Small
 * differences are made up by playing a little faster or slower, which nobody sees.
 */
export function correction(behind: number, rate: number): { seek: boolean; rate: number } {
  if (Math.abs(behind) > SEEK_BEYOND_S) return { seek: true, rate };
  if (Math.abs(behind) < EVEN_S) return { seek: false, rate };
  const change = Math.max(-MOST_RATE_CHANGE, Math.min(MOST_RATE_CHANGE, behind / 2));
  return { seek: false, rate: rate * (1 + change) };
}

function last(stretches: Stretch[], fits: (stretch: Stretch) => boolean): Stretch | undefined {
  let low = 0;
  let high = stretches.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (fits(stretches[middle] as Stretch)) low = middle + 1;
    else high = middle;
  }
  return stretches[low - 1];
}

import type { Schema } from "../../api/http";

export const PRESETS = ["full", "highlights", "follow", "panorama", "upload"] as const;
/** What one may want to have made of a match. */
export type Preset = (typeof PRESETS)[number];
export type Step = Schema["ProcessMatch"]["steps"][number];

/** Seconds before and after each marked moment that highlights show. */
export const BEFORE_S = 8;
export const AFTER_S = 4;

const FIRST: readonly Preset[] = ["full"];
const NONE = "none";

/** The presets that a page's address chooses; without any, the full match. */
export function chosenIn(make: string | null): ReadonlySet<Preset> {
  if (make === null) return new Set(FIRST);
  const names = make.split(",");
  return new Set(PRESETS.filter((preset) => names.includes(preset)));
}

/** What a page's address says for these presets, with one of them added or taken out. */
export function makeWith(chosen: ReadonlySet<Preset>, flipped: Preset): string {
  const left = PRESETS.filter((preset) => chosen.has(preset) !== (preset === flipped));
  return left.join(",") || NONE;
}

/** The jobs that presets stand for; a panorama that is there already is not made again. */
export function stepsOf(chosen: ReadonlySet<Preset>, hasPanorama: boolean): Step[] {
  const steps: Record<Preset, Step[]> = {
    full: ["archive", "sprites"],
    highlights: ["reel"],
    follow: hasPanorama ? ["follow"] : ["panorama", "follow"],
    panorama: ["panorama"],
    upload: ["upload"],
  };
  return [...new Set(PRESETS.filter((preset) => chosen.has(preset)).flatMap((p) => steps[p]))];
}

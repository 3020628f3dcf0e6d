import type { MatchEntry } from "../../api/capture";
import type { Schema } from "../../api/http";
import { fileName } from "../../lib/fileName";
import { day } from "../../lib/format";
import { type Details, detailsOf, parseMatchId, titleOf } from "../../lib/matchName";
import { words } from "../../messages";

/** What people know of a match, as the page shows it. */
export type Naming = { title: string; competition: string; venue: string; date: string };

const DAY = /^\d{4}-\d{2}-\d{2}/;
const DAY_LENGTH = "2026-11-27".length;

/** What people know of a match; one without teams goes by its id. */
export function namingOf(matchId: string, given: Details | null | undefined): Naming {
  const { competition, venue, date } = detailsOf(matchId, given);
  return {
    title: titleOf(matchId, given),
    competition: competition ?? "",
    venue: venue ?? "",
    date: date ?? parseMatchId(matchId).date,
  };
}

/** The day of a date, which may have a time, as one says it. */
export const dayOf = (date: string) => (DAY.test(date) ? day(date.slice(0, DAY_LENGTH)) : date);

export type NamedFile = {
  /** Its name at the server. */
  file: string;
  /** What it is. */
  label: string;
  /** The name under which it is saved. */
  name: string;
  sizeMb: number;
};

type CameraName = (camera: string) => string;

/** What was made of a match, by what it shows, and the files beside it that programs need. */
export function filesOf(
  title: string,
  entry: MatchEntry,
  cameraName: CameraName,
): { videos: NamedFile[]; others: NamedFile[] } {
  const { files } = words.library;
  const made: Record<string, string> = {
    "panorama_archive.mp4": files.panorama,
    "follow_archive.mp4": files.follow,
    "reel.mp4": files.highlights,
  };
  const videos: NamedFile[] = [];
  const others: NamedFile[] = [];
  for (const { file, type, size_mb: sizeMb } of entry.files) {
    if (type !== "single") continue;
    const [, camera] = /^(cam\d+)_archive\.mp4$/.exec(file) ?? [];
    const shows = camera ? cameraName(camera) : made[file];
    if (shows === undefined) others.push({ file, label: file, name: file, sizeMb });
    else {
      const label = camera ? files.whole(shows) : shows;
      videos.push({ file, label, name: fileName(`${title}, ${shows}.mp4`), sizeMb });
    }
  }
  return { videos, others };
}

/** The segments of a match by camera, in the order in which they were recorded. */
export function partsOf(
  title: string,
  segments: Schema["Segments"],
  cameraName: CameraName,
): NamedFile[] {
  const counted = new Map<string, number>();
  return [...segments.cam0, ...segments.cam1, ...segments.other].map((segment) => {
    const { name: file, camera, size_mb: sizeMb } = segment;
    if (!/^cam\d+$/.test(camera)) return { file, label: file, name: file, sizeMb };
    const part = (counted.get(camera) ?? 0) + 1;
    counted.set(camera, part);
    const label = words.library.files.part(cameraName(camera), part);
    const ending = /\.\w+$/.exec(file)?.[0] ?? "";
    return { file, label, name: fileName(`${title}, ${label}${ending}`), sizeMb };
  });
}

import type { MatchEntry } from "../../api/capture";
import { words } from "../../messages";

/** What of a match can be played. */
export type Source = { id: string; name: string };

/** The pictures of a match: its cameras by their names, and what was made of them. */
export function sourcesOf(entry: MatchEntry, cameraName: (camera: string) => string): Source[] {
  const cameras = entry.files
    .filter((file) => file.type === "segmented" && file.file.startsWith("cam"))
    .map((file) => ({ id: file.file, name: cameraName(file.file) }));
  const made = [
    { id: "panorama", name: words.player.panorama },
    { id: "follow", name: words.player.follow },
  ].filter(({ id }) => entry.files.some((file) => file.file === `${id}_archive.mp4`));
  return [...cameras, ...made];
}

/** Whose thumbnails suit what is shown: its own, or those of any source that has some. */
export function thumbnailsOf(
  shown: readonly Source[],
  sources: readonly Source[],
  sheets: Readonly<Record<string, unknown>>,
): string | undefined {
  return [...shown, ...sources].find(({ id }) => Object.hasOwn(sheets, id))?.id;
}

/** A choice of what is shown; `key` stands for it in a link. */
export type View = { key: string; name: string; shows: Source[] };

const ALL = "both";

/** What can be chosen to be shown. A camera is called by its name in a link, unless two share it. */
export function viewsOf(sources: readonly Source[]): View[] {
  const cameras = sources.filter(({ id }) => id.startsWith("cam"));
  const one = (source: Source): View => ({
    key: cameras.includes(source) && isUnique(source.name, sources) ? source.name : source.id,
    name: source.name,
    shows: [source],
  });
  const { both, all } = words.player;
  const together =
    cameras.length > 1
      ? [{ key: ALL, name: cameras.length === 2 ? both : all, shows: cameras }]
      : [];
  const made = sources.filter((source) => !cameras.includes(source));
  return [...cameras.map(one), ...together, ...made.map(one)];
}

/**
 * The view that a link asks for, by its key or by the id of a picture; without one all cameras on a
 * desk, and the first of them on a phone.
 */
export function viewOf(views: readonly View[], asked: string | null, phone: boolean): View | null {
  const named = views.find(
    ({ key, shows }) => key === asked || (shows.length === 1 && shows[0]?.id === asked),
  );
  const usual = phone ? undefined : views.find(({ key }) => key === ALL);
  return named ?? usual ?? views[0] ?? null;
}

function isUnique(name: string, sources: readonly Source[]): boolean {
  return (
    name !== ALL && sources.filter((each) => each.name === name || each.id === name).length < 2
  );
}

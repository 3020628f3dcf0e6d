import type { MatchEntry } from "../../api/capture";

/** What of a match can be played. */
export type Source = { id: string; name: string };

export function sourcesOf(entry: MatchEntry): Source[] {
  const cameras = entry.files
    .filter((file) => file.type === "segmented" && file.file.startsWith("cam"))
    .map((file) => ({ id: file.file, name: `Camera ${file.file.slice(3)}` }));
  const made = [
    { id: "panorama", name: "Panorama" },
    { id: "follow", name: "Following cut" },
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

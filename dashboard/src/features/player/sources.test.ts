import { expect, test } from "vitest";
import type { MatchEntry } from "../../api/capture";
import { type Source, sourcesOf, thumbnailsOf, viewOf, viewsOf } from "./sources";

const single = (file: string) => ({ file, type: "single" as const, size_mb: 1, created_at: 1 });
const camera = (file: string) => ({ ...single(file), type: "segmented" as const });
const match = (...files: MatchEntry["files"]) =>
  ({ files, total_size_mb: 1, camera_count: 2, segments_count: 2, created_at: 1 }) as MatchEntry;
const BOTH = match(camera("cam0"), camera("cam1"), single("panorama_archive.mp4"));
const NAMES: Record<string, string> = { cam0: "LEFT", cam1: "RIGHT" };

const views = (names = NAMES, entry = BOTH) =>
  viewsOf(sourcesOf(entry, (file) => names[file] ?? file));
const shown = (asked: string | null, phone = false) =>
  viewOf(views(), asked, phone)?.shows.map(({ id }) => id);

test("each camera, both and what was made can be chosen", () => {
  expect(views().map(({ name }) => name)).toEqual(["LEFT", "RIGHT", "Both", "Panorama"]);
  expect(views(NAMES, match(camera("cam0"))).map(({ name }) => name)).toEqual(["LEFT"]);
  const three = match(camera("cam0"), camera("cam1"), camera("cam2"));
  expect(views(NAMES, three).map(({ name }) => name)).toContain("All");
});

test("a link asks for a picture by the camera's name, or by its id", () => {
  expect(shown("RIGHT")).toEqual(["cam1"]);
  expect(shown("cam1")).toEqual(["cam1"]);
  expect(shown("panorama")).toEqual(["panorama"]);
  expect(shown("both", true)).toEqual(["cam0", "cam1"]);
});

test("without a picture that there is, a desk shows both and a phone the first", () => {
  for (const asked of [null, "follow"]) {
    expect(shown(asked)).toEqual(["cam0", "cam1"]);
    expect(shown(asked, true)).toEqual(["cam0"]);
  }
  expect(viewOf([], null, false)).toBeNull();
});

test("cameras of one name, or of the name of something else, are told apart by their ids", () => {
  const keys = (names: Record<string, string>) => views(names).map(({ key }) => key);
  expect(keys({ cam0: "Pitch", cam1: "Pitch" })).toEqual(["cam0", "cam1", "both", "panorama"]);
  expect(keys({ cam0: "both", cam1: "panorama" })).toEqual(["cam0", "cam1", "both", "panorama"]);
});

test("what can be played of a match are its cameras, and what was made of it", () => {
  const files = [camera("cam0"), camera("cam1"), single("cam0_archive.mp4")];
  const sources = sourcesOf(match(...files, single("panorama_archive.mp4")), (file) => file);
  expect(sources.map(({ id }) => id)).toEqual(["cam0", "cam1", "panorama"]);
});

test("thumbnails are those of the camera that is shown", () => {
  const [cam0, cam1, cam2, follow] = ["cam0", "cam1", "cam2", "follow"].map((id) => ({
    id,
    name: id,
  })) as [Source, Source, Source, Source];
  const sources = [cam0, cam1, cam2, follow];
  const sheets = { cam1: {}, cam2: {} };
  expect(thumbnailsOf([cam2], sources, sheets)).toBe("cam2");
  expect(thumbnailsOf([cam0, cam1, cam2], sources, sheets)).toBe("cam1");
  expect(thumbnailsOf([follow], sources, sheets)).toBe("cam1");
  expect(thumbnailsOf([cam0], sources, {})).toBeUndefined();
});

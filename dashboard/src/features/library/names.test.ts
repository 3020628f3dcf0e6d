import { expect, test } from "vitest";
import { fileName } from "../../lib/fileName";
import { detailsOf } from "../../lib/matchName";
import { matchEntry } from "./harness";
import { dayOf, filesOf, namingOf, partsOf } from "./names";
import { chosenIn, makeWith, stepsOf } from "./presets";

const ID = "2026-11-27 SV Süd - FC Nord - Cup";
const NOTHING = { home: null, away: null, competition: null, venue: null, date: null, note: null };
const cameraName = (camera: string) => (camera === "cam0" ? "LEFT" : "RIGHT");

test("a match is called by its details, or else by its id", () => {
  expect(namingOf(ID, NOTHING)).toEqual({
    title: "SV Süd – FC Nord",
    competition: "Cup",
    venue: "",
    date: "2026-11-27",
  });
  const given = { ...NOTHING, home: "Owls", away: "Lions", date: "2026-11-29T15:00:00Z" };
  expect(namingOf(ID, given)).toMatchObject({
    title: "Owls – Lions",
    competition: "",
    date: "2026-11-29T15:00:00Z",
  });
  expect(namingOf(ID, { ...NOTHING, venue: "Pitch 2" })).toMatchObject({
    title: "SV Süd – FC Nord",
    venue: "Pitch 2",
  });
  expect(namingOf("match_1", null).title).toBe("match_1");
  expect(detailsOf("match_1", null)).toEqual(NOTHING);
});

test("a day is said as one says it, and what is none is left as it is", () => {
  expect(dayOf("2026-11-29")).toBe("Nov 29, 2026");
  expect(dayOf("2026-11-29T23:30:00+02:00")).toBe("Nov 29, 2026");
  expect(dayOf("soon")).toBe("soon");
});

test("files are saved under names that say what they show", () => {
  const single = (file: string) => ({ file, type: "single" as const, size_mb: 1, created_at: 1 });
  const names = ["cam0_archive.mp4", "panorama_archive.mp4", "reel.mp4", "cam0_poster.jpg"];
  const entry = matchEntry({ files: [...matchEntry().files, ...names.map(single)] });
  const { videos, others } = filesOf("SV Süd – FC Nord", entry, cameraName);
  expect(videos.map(({ name }) => name)).toEqual([
    "SV Süd – FC Nord, LEFT.mp4",
    "SV Süd – FC Nord, Panorama.mp4",
    "SV Süd – FC Nord, Highlights.mp4",
  ]);
  expect(others.map(({ file }) => file)).toEqual(["cam0_poster.jpg"]);
});

test("parts are counted by camera", () => {
  const segment = (camera: string, number: number) => ({
    name: `${camera}_20261127_150000_0${number}.mp4`,
    path: "",
    size_mb: 1,
    created_at: 1,
    segment_number: number,
    camera,
  });
  const segments = {
    match_id: ID,
    type: "segmented" as const,
    cam0: [segment("cam0", 0), segment("cam0", 1)],
    cam1: [segment("cam1", 0)],
    other: [{ ...segment("", 0), name: "clip.mkv" }],
    total_size_mb: 4,
    segments_count: 4,
  };
  expect(partsOf("SV Süd – FC Nord", segments, cameraName).map(({ name }) => name)).toEqual([
    "SV Süd – FC Nord, LEFT, part 1.mp4",
    "SV Süd – FC Nord, LEFT, part 2.mp4",
    "SV Süd – FC Nord, RIGHT, part 1.mp4",
    "clip.mkv",
  ]);
});

test("names of files hold nothing that a file system refuses", () => {
  expect(fileName('A/B: "C" – 1:0?.mp4')).toBe("A-B- -C- – 1-0-.mp4");
  expect(fileName("..hidden ")).toBe("hidden");
});

test("presets come from the address and go back to it", () => {
  expect([...chosenIn(null)]).toEqual(["full"]);
  expect([...chosenIn("highlights,nonsense")]).toEqual(["highlights"]);
  expect(makeWith(new Set(["full"]), "panorama")).toBe("full,panorama");
  expect([...chosenIn(makeWith(new Set(["full"]), "full"))]).toEqual([]);
});

test("presets become the jobs that they need", () => {
  expect(stepsOf(new Set(["full", "follow", "panorama"]), false)).toEqual([
    "archive",
    "sprites",
    "panorama",
    "follow",
  ]);
  expect(stepsOf(new Set(["follow"]), true)).toEqual(["follow"]);
});

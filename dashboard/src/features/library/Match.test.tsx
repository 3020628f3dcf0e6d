import { cleanup, fireEvent, screen, waitFor, within } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { loadLanguage, words } from "../../messages";
import { FakeServer, matchEntry, PATIENT, showAt, stubBrowser } from "./harness";
import Match from "./Match";

// A browser resolves paths against the page; Node's Request does not.
vi.hoisted(() => {
  const Real = globalThis.Request;
  globalThis.Request = class extends Real {
    constructor(input: RequestInfo | URL, init?: RequestInit) {
      super(typeof input === "string" ? new URL(input, window.location.origin) : input, init);
    }
  };
});
const told: Record<string, unknown> = {};
vi.mock("../../api/live", () => ({ useChannel: (channel: string) => told[channel] }));
vi.mock("../player/MatchPlayer", () => ({ MatchPlayer: () => <p>The player</p> }));
vi.setConfig({ testTimeout: 60_000 });

const ID = "2026-11-27 SV Süd - FC Nord - Cup";
const PUT = `PUT /api/v1/matches/${ID}/details`;
const PROCESS = `POST /api/v1/recordings/${ID}/process`;
const STORAGE = `GET /api/v1/recordings/${ID}/r2-urls`;
const NO_STORAGE = () =>
  Response.json({ detail: "No storage is configured", code: "no_storage" }, { status: 503 });
const MARKER = { marker_id: "a", at: 3, kind: "goal", text: "", team: "" };

const serve = (more: Record<string, unknown> = {}, entry = matchEntry()) =>
  new FakeServer({
    "GET /api/v1/recordings": { recordings: { [ID]: entry } },
    "GET /api/v1/trash": { days: 7, size_bytes: 0, matches: [] },
    [`GET /api/v1/recordings/${ID}/markers`]: { markers: [MARKER] },
    [STORAGE]: NO_STORAGE,
    [PROCESS]: { jobs: [] },
    ...more,
  });

const show = async (hash = "/matches/x") => {
  const shown = showAt(hash, <Match matchId={ID} />);
  await screen.findByRole("heading", { level: 1, name: "SV Süd – FC Nord" }, PATIENT);
  return shown;
};

beforeEach(() => {
  stubBrowser();
  told.cameras = { cameras: [{ id: 0, name: "LEFT" }] };
  told.status = undefined;
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

test("the head has teams, date and competition, and the cameras go by their names", async () => {
  serve();
  await show();
  expect(screen.getByText("Nov 27, 2026 · Cup")).toBeDefined();
  expect(screen.getByText("LEFT, Camera 1")).toBeDefined();
  expect(screen.getByText("The player")).toBeDefined();
});

const typed = (label: string) =>
  within(screen.getByRole("dialog")).getByLabelText(label) as HTMLInputElement;

test("details begin with what the id says, and are saved", async () => {
  const server = serve({ [PUT]: (body: unknown) => body });
  await show();
  fireEvent.click(screen.getByRole("button", { name: "Edit details" }));
  expect(typed("Home team").value).toBe("SV Süd");
  expect(typed("Away team").value).toBe("FC Nord");
  expect(typed("Date").value).toBe("2026-11-27");
  fireEvent.change(typed("Venue"), { target: { value: " Pitch 2 " } });
  fireEvent.change(typed("Competition"), { target: { value: "" } });
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  await waitFor(() => expect(screen.queryByRole("dialog")).toBeNull(), PATIENT);
  expect(server.sent(PUT)).toEqual([
    {
      home: "SV Süd",
      away: "FC Nord",
      competition: null,
      venue: "Pitch 2",
      date: "2026-11-27",
      note: null,
    },
  ]);
});

test("a refused save is told at its field, and what was typed stays", async () => {
  const detail = [
    { type: "value_error", loc: ["body", "date"], msg: "Value error, must be a date", input: "" },
    {
      type: "string_too_long",
      loc: ["body", "home"],
      msg: "String should have at most 120 characters",
      ctx: { max_length: 120 },
      input: "",
    },
  ];
  serve({ [PUT]: () => Response.json({ detail }, { status: 422 }) });
  await show();
  fireEvent.click(screen.getByRole("button", { name: "Edit details" }));
  fireEvent.change(typed("Away team"), { target: { value: "FC West" } });
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  const hint = await screen.findByText("Use at most 120 characters.", undefined, PATIENT);
  expect(typed("Home team").getAttribute("aria-describedby")).toBe(hint.id);
  expect(typed("Home team").getAttribute("aria-invalid")).toBe("true");
  expect(screen.getByText(/Enter a date with day, month/).id).toBe(
    typed("Date").getAttribute("aria-describedby"),
  );
  expect(typed("Venue").getAttribute("aria-invalid")).toBeNull();
  expect(typed("Away team").value).toBe("FC West");
  expect(screen.getByText(/What you typed is still here/)).toBeDefined();
});

test("a save that failed for another reason says it in the dialog", async () => {
  const detail = "The details cannot be saved: No space left on device";
  serve({ [PUT]: () => Response.json({ detail, code: "details_not_saved" }, { status: 500 }) });
  await show();
  fireEvent.click(screen.getByRole("button", { name: "Edit details" }));
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  expect((await screen.findByRole("alert", undefined, PATIENT)).textContent).toContain(detail);
});

test("a match goes to the trash at once, and the message takes it back", async () => {
  const moved = { id: "0123", match_id: ID, details: null, status: "trashed" };
  const server = serve({
    [`POST /api/v1/matches/${ID}/trash`]: moved,
    "POST /api/v1/trash/0123/restore": { status: "restored", id: "0123", match_id: ID },
  });
  await show();
  fireEvent.click(screen.getByRole("button", { name: "Move to trash" }));
  expect(await screen.findByText("Moved to trash", undefined, PATIENT)).toBeDefined();
  expect(location.hash).toBe("#/matches");
  fireEvent.click(screen.getByRole("button", { name: "Undo" }));
  expect(await screen.findByText("SV Süd – FC Nord is back", undefined, PATIENT)).toBeDefined();
  expect(server.sent("POST /api/v1/trash/0123/restore")).toHaveLength(1);
});

test("a protected match says why it cannot go to the trash", async () => {
  serve({}, matchEntry({ protected: true }));
  await show();
  const move = screen.getByRole("button", { name: "Move to trash" }) as HTMLButtonElement;
  expect(move.disabled).toBe(true);
  expect(screen.getByText(/Protected matches stay/)).toBeDefined();
});

test("the match that is recorded says why it cannot go to the trash", async () => {
  told.status = { recording: { match_id: ID } };
  serve();
  await show();
  const move = screen.getByRole("button", { name: "Move to trash" }) as HTMLButtonElement;
  expect(move.disabled).toBe(true);
  expect(screen.getByText(/still being recorded/)).toBeDefined();
});

test("where there is no trash a match is deleted only after a question", async () => {
  const server = serve({ "GET /api/v1/trash": { days: 0, size_bytes: 0, matches: [] } });
  await show();
  fireEvent.click(await screen.findByRole("button", { name: "Delete for good" }, PATIENT));
  expect((await screen.findByRole("alertdialog", undefined, PATIENT)).textContent).toContain(
    "This cannot be undone",
  );
  expect(server.calls.filter(({ route }) => route.startsWith("DELETE"))).toEqual([]);
});

const preset = (name: string) => screen.getByRole("checkbox", { name }) as HTMLInputElement;

test("without a storage the upload says what to set up first", async () => {
  const server = serve();
  await show();
  expect(await screen.findByText(/Set up S3 first/, undefined, PATIENT)).toBeDefined();
  expect(preset("Upload to S3").disabled).toBe(true);
  expect(preset("Full match per camera").checked).toBe(true);
  fireEvent.click(preset("Follow-the-play video"));
  fireEvent.click(screen.getByRole("button", { name: "Create" }));
  await waitFor(() => expect(server.sent(PROCESS)).toHaveLength(1), PATIENT);
  expect(server.sent(PROCESS)[0]).toMatchObject({
    steps: ["archive", "sprites", "panorama", "follow"],
  });
});

test("with a storage the upload can be chosen, and what is there is marked", async () => {
  const file = { name: "cam0_archive.mp4", key: "k", size_mb: 1, url: "https://s3/x" };
  const archive = { file: file.name, type: "single" as const, size_mb: 1, created_at: 1 };
  const server = serve(
    {
      [STORAGE]: {
        match_id: ID,
        files: [file],
        total_size_mb: 1,
        success: true,
        expires_in: 3600,
      },
    },
    matchEntry({ files: [...matchEntry().files, archive] }),
  );
  await show("/matches/x?make=full");
  await waitFor(() => expect(preset("Upload to S3").disabled).toBe(false), PATIENT);
  expect(screen.getByText("LEFT, full match")).toBeDefined();
  expect(screen.getByText("Uploaded")).toBeDefined();
  fireEvent.click(preset("Upload to S3"));
  fireEvent.click(screen.getByRole("button", { name: "Create" }));
  await waitFor(() => expect(server.sent(PROCESS)).toHaveLength(1), PATIENT);
  expect(server.sent(PROCESS)[0]).toMatchObject({ steps: ["archive", "sprites", "upload"] });
});

test("a link to the highlights opens them chosen, from the picture that one wants", async () => {
  const server = serve();
  await show("/matches/x?make=highlights");
  await waitFor(() => expect(preset("Highlights").checked).toBe(true), PATIENT);
  expect(preset("Full match per camera").checked).toBe(false);
  expect(screen.getByText("1 marked moment in one video.")).toBeDefined();
  fireEvent.change(screen.getByRole("combobox", { name: "Picture for the highlights" }), {
    target: { value: "cam1" },
  });
  fireEvent.click(screen.getByRole("button", { name: "Create" }));
  await waitFor(() => expect(server.sent(PROCESS)).toHaveLength(1), PATIENT);
  expect(server.sent(PROCESS)[0]).toEqual({
    steps: ["reel"],
    reel: { camera: "cam1", before_s: 8, after_s: 4, kinds: [] },
  });
});

test("a match that is not there may be in the trash", async () => {
  serve({ "GET /api/v1/recordings": { recordings: {} } });
  showAt("/matches/x", <Match matchId={ID} />);
  const link = await screen.findByRole("link", { name: "Open the trash" }, PATIENT);
  expect(link.getAttribute("href")).toBe("#/matches?view=trash");
});

describe.each(["en", "de"] as const)("what is wrong with a match has its words: %s", (language) => {
  beforeEach(() => loadLanguage(language));
  afterEach(() => loadLanguage("en"));

  test("files with faults", async () => {
    const fault = { code: "checksum", segment: "cam0_00.mp4", fragment: 3, camera: "cam0" };
    serve({
      [`POST /api/v1/recordings/${ID}/verify`]: {
        ok: false,
        cameras: {},
        faults: [{ ...fault, what: "fragment 3 is damaged" }],
      },
    });
    await show();
    fireEvent.click(screen.getByRole("button", { name: words.library.footage.verify }));
    const title = words.library.footage.faults(1);
    const alert = (await screen.findByText(title, undefined, PATIENT)).closest(".note");
    expect(alert?.textContent).toContain("LEFT, cam0_00.mp4");
    expect(alert?.textContent).toContain(words.library.footage.rest);
  });

  test("an interrupted match", async () => {
    serve({}, matchEntry({ state: "interrupted" }));
    await show();
    expect(screen.getAllByText(words.library.badges.interrupted).length).toBeGreaterThan(0);
  });

  test("videos that cannot be created", async () => {
    const refusal = { detail: "There is no room", code: "no_room" };
    serve({ [PROCESS]: () => Response.json(refusal, { status: 409 }) });
    await show("/matches/x?make=full");
    const create = screen.getByRole("button", { name: words.library.create.button });
    fireEvent.click(create);
    expect(await screen.findByRole("alert", undefined, PATIENT)).toBeDefined();
    expect(create).toHaveProperty("disabled", false);
  });
});

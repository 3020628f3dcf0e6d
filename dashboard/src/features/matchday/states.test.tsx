import { fireEvent, screen } from "@testing-library/react";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Schema } from "../../api/http";
import { active, loss, unwell } from "../../lib/fixtures";
import { loadLanguage, words } from "../../messages";
import { en } from "../../messages/en";

vi.mock("../../api/live", async () => (await import("./fakes")).fakeLive);
vi.mock("../../video/LiveVideo", () => ({ LiveVideo: () => null }));

import { button, shown } from "./testing";

type Kind = Schema["RecordingProblem"]["kind"];
const KINDS = Object.keys(en.matchday.problems.kinds) as Kind[];
const CAUSES = Object.keys(
  en.matchday.losses.because,
) as (keyof typeof en.matchday.losses.because)[];

afterEach(() => loadLanguage("en"));

describe.each(["en", "de"] as const)("every problem of a match has its words: %s", (language) => {
  beforeEach(() => loadLanguage(language));
  const problems = () =>
    screen.getByRole("region", { name: words.matchday.problems.label }).textContent;

  test.each(KINDS)("%s", (kind) => {
    const told = { kind, camera: "camera_0", message: "in the words of a program" };
    shown({ recording: active(), health: unwell(told) });
    const { what, todo } = words.matchday.problems.kinds[kind];
    expect(problems()).toContain(what("LEFT"));
    expect(problems()).toContain(todo);
  });

  test.each(CAUSES)("a loss because of: %s", (kind) => {
    shown({ recording: active({ losses: [loss({ kind, ended: false })] }) });
    expect(problems()).toContain(words.matchday.losses.open("LEFT", "0:05"));
    expect(problems()).toContain(words.matchday.losses.because[kind]);
  });

  test("a camera that is not recorded, before its loss is known", () => {
    shown({ recording: active({ degraded_cameras: { camera_1: "gone" } }) });
    expect(problems()).toContain(words.matchday.problems.notRecorded("RIGHT"));
    expect(problems()).toContain(words.matchday.losses.check);
  });

  test("a part that is no camera, and a problem of a later version", () => {
    const told = { kind: "brand_new" as Kind, camera: "camera_1", message: "new" };
    shown({ recording: active({ degraded_cameras: { library: "gone" } }), health: unwell(told) });
    expect(problems()).toContain(words.matchday.problems.otherTodo);
    expect(problems()).toContain(words.matchday.problems.unknown("RIGHT"));
    expect(problems()).toContain(words.matchday.problems.unknownTodo);
  });

  test("heat and space in time", () => {
    shown({ recording: active(), temperature: { max_c: 78, warning: true }, minutesLeft: 28 });
    expect(problems()).toContain(words.matchday.problems.heatTodo);
    expect(problems()).toContain(words.matchday.problems.space(28));
  });

  test("viewers who are not allowed during the recording", () => {
    shown({ recording: active(), viewers: false });
    expect(screen.getByText(words.matchday.live.off)).toBeDefined();
    expect(screen.getByText(words.matchday.live.offTodo)).toBeDefined();
  });

  test("a mark that was not made", async () => {
    vi.stubGlobal("fetch", async (request: Request) =>
      request.method === "POST"
        ? Response.json({ detail: "the disk is full", code: "disk_full" }, { status: 500 })
        : Response.json({ markers: [], recordings: {} }),
    );
    shown({ recording: active() });
    fireEvent.click(button(new RegExp(words.matchday.markers.goal)));
    expect(await screen.findByText(words.matchday.moments.notMade)).toBeDefined();
  });
});

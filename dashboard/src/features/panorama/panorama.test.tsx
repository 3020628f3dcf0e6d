import { fireEvent, screen, within } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { asked, kept, routes, show } from "../../testing/page";

vi.mock("../../api/live", () => import("../../testing/live"));
vi.mock("../../video/hls", () => ({ playHls: () => () => undefined }));

import { channels } from "../../testing/live";
import { FollowCut } from "./FollowCut";
import { Guide } from "./Guide";
import { PointSurface } from "./PointSurface";

vi.setConfig({ testTimeout: 30_000 });
const patient = { timeout: 20_000 };

const told = (more: object = {}) => ({
  calibrated: false,
  is_calibrating: false,
  frames_captured: 0,
  quality_score: null,
  calibration_date: null,
  version: null,
  ...more,
});
const POINTS = [{ cam0: [10, 20], cam1: [30, 40] }];
const details = (version: number, score: number, error: number) => ({
  version,
  created_at: "2026-11-27T14:00:00Z",
  source: "cameras",
  active: true,
  pairs: 12,
  quality: { score, overlap: 0.3, reprojection_error_px: error },
  homography_matrix: [],
  points: POINTS,
  manual: [],
  pair: {},
});

test("the guide begins with a press, and shows both cameras with the part that both should see", () => {
  routes["GET /api/v1/recordings"] = { recordings: {} };
  show(<Guide told={told()} />);
  expect(document.querySelector("video")).toBeNull();
  fireEvent.click(screen.getByRole("button", { name: "Start calibration" }));
  expect(kept("step")).toBe("aim");
  expect(document.querySelectorAll("video")).toHaveLength(2);
  expect(document.querySelectorAll("[data-via] > svg rect")).toHaveLength(2);
  expect(screen.getByText("Shaded: what both cameras should see.")).toBeDefined();
  const steps = screen.getByRole("list", { name: "Steps of the calibration" });
  expect(steps.querySelector("[aria-current=step]")?.textContent).toContain("Aim the cameras");
});

test("while a match is recorded nothing can be captured, and the guide says why", () => {
  routes["GET /api/v1/recordings"] = { recordings: {} };
  channels.pipeline_state = { mode: "recording" };
  show(<Guide told={told()} />, "#/panorama?step=aim");
  expect(screen.getByText("A match is being recorded")).toBeDefined();
  const capture = screen.getByRole("button", { name: "Capture 12 picture pairs" });
  expect((capture as HTMLButtonElement).disabled).toBe(true);
});

test("after a reload the captured pairs are counted, and the rest can be captured", async () => {
  routes["POST /api/v1/panorama/calibration/capture"] = {
    frames_captured: 12,
    sharp: true,
  };
  routes["POST /api/v1/panorama/calibration/complete"] = Response.json(
    { detail: "Only 3 points match", code: "too_few_matches" },
    { status: 500 },
  );
  show(
    <Guide told={told({ is_calibrating: true, frames_captured: 11 })} />,
    "#/panorama?step=capture",
  );
  expect(screen.getByText("11 of 12")).toBeDefined();
  fireEvent.click(screen.getByRole("button", { name: "Continue" }));
  expect(await screen.findByText("12 of 12", {}, patient)).toBeDefined();
  // Few points match: what to do is said, and points can be marked by hand.
  expect(await screen.findByText(/^If few points match/, {}, patient)).toBeDefined();
  expect(screen.getByText("Mark points by hand (0)")).toBeDefined();
  expect(asked.filter(({ what }) => what.endsWith("/start"))).toEqual([]);
});

test("cameras that are being watched can be freed", async () => {
  routes["POST /api/v1/panorama/calibration/complete"] = Response.json(
    { detail: "The cameras are in use", code: "cameras_taken" },
    { status: 503 },
  );
  routes["DELETE /api/v1/preview"] = { success: true, message: "" };
  show(
    <Guide told={told({ is_calibrating: true, frames_captured: 12 })} />,
    "#/panorama?step=capture",
  );
  fireEvent.click(screen.getByRole("button", { name: "Continue" }));
  fireEvent.click(await screen.findByRole("button", { name: "Close all live pictures" }, patient));
  await vi.waitFor(
    () => expect(asked.map(({ what }) => what)).toContain("DELETE /api/v1/preview"),
    patient,
  );
});

const compared = "#/panorama?step=compare&before=3&after=4";

test("before and after stand beside each other, and the old one can be kept", async () => {
  routes["GET /api/v1/panorama/calibrations/3"] = details(3, 0.9, 0.8);
  routes["GET /api/v1/panorama/calibrations/4"] = details(4, 0.4, 3.1);
  routes["POST /api/v1/panorama/calibrations/3/activate"] = { success: true, message: "" };
  channels.panorama_status = { panorama: {}, calibration: told({ version: 4 }) };
  show(<Guide told={told({ calibrated: true, version: 4 })} />, compared);
  const before = await screen.findByRole("region", { name: "Before: calibration 3" }, patient);
  const after = await screen.findByRole("region", { name: "After: calibration 4" }, patient);
  expect(within(before).getByText("0.8 px")).toBeDefined();
  expect(within(before).getByText("Excellent")).toBeDefined();
  expect(within(after).getByText("in use")).toBeDefined();
  expect(within(after).getByText(/^Capture more pairs/)).toBeDefined();
  fireEvent.click(screen.getByRole("button", { name: "Keep the old one" }));
  expect(await screen.findByText("Calibration 3 is in use", {}, patient)).toBeDefined();
  expect(kept("step")).toBeNull();
  expect(kept("after")).toBeNull();
});

test("the first calibration has none to compare with", async () => {
  routes["GET /api/v1/panorama/calibrations/1"] = details(1, 0.9, 0.8);
  show(<Guide told={told({ calibrated: true, version: 1 })} />, "#/panorama?step=compare&after=1");
  expect(
    await screen.findByRole("region", { name: "After: calibration 1" }, patient),
  ).toBeDefined();
  expect(screen.queryByRole("button", { name: "Keep the old one" })).toBeNull();
  expect(screen.getByRole("button", { name: "Use this" })).toBeDefined();
});

test("points that are not used yet are kept over a reload, and closing the page asks", () => {
  sessionStorage.setItem("touchline-calibration-points", JSON.stringify([...POINTS, "broken"]));
  show(<Guide told={told()} />);
  expect(screen.getByText(/^1 point is not used yet/)).toBeDefined();
  const closing = new Event("beforeunload", { cancelable: true });
  window.dispatchEvent(closing);
  expect(closing.defaultPrevented).toBe(true);
});

const followed = {
  job_id: "j1",
  match_id: "m1",
  kind: "follow",
  state: "failed",
  progress: 0,
  error: { code: "no_panorama", message: "This match has no panorama", advice: "Create it." },
};

test("spots that were chosen by hand are not left without a question, and a failure has words", async () => {
  routes["GET /api/v1/recordings"] = {
    recordings: { m1: { files: [{ file: "panorama_archive.mp4" }] } },
  };
  channels.jobs = { jobs: [followed] };
  show(<FollowCut />, "#/panorama?match=m1");
  const alert = await screen.findByRole("alert", {}, patient);
  expect(alert.textContent).toContain("This match has no panorama video yet.");
  expect(within(alert).getByText(/^This match has no panorama Create it/)).toBeDefined();
  fireEvent.click(screen.getByRole("button", { name: /^Choose the spot/ }), { detail: 0 });
  expect(screen.getByText(/^1 spot is not used yet/)).toBeDefined();
  location.hash = "#/matches";
  fireEvent.click(await screen.findByRole("button", { name: "Stay" }, patient));
  expect(location.hash).toBe("#/panorama?match=m1");
  fireEvent.click(screen.getByRole("button", { name: "Remove the spot at 0:00" }));
  location.hash = "#/matches";
  expect(screen.queryByRole("alertdialog")).toBeNull();
});

test("a spot is chosen by keyboard as by pointer", () => {
  const chosen: { x: number; y: number }[] = [];
  show(<PointSurface label="Choose" onPoint={(at) => chosen.push(at)} />);
  const surface = screen.getByRole("button", { name: "Choose" });
  surface.getBoundingClientRect = () => ({ left: 100, top: 0, width: 200, height: 100 }) as DOMRect;
  fireEvent.keyDown(surface, { key: "ArrowRight", shiftKey: true });
  fireEvent.keyDown(surface, { key: "ArrowUp" });
  fireEvent.click(surface, { detail: 0 });
  fireEvent.click(surface, { detail: 1, clientX: 150, clientY: 75 });
  expect(chosen[0]).toEqual({ x: 0.6, y: 0.49 });
  expect(chosen[1]).toEqual({ x: 0.25, y: 0.75 });
});

import { fireEvent, screen } from "@testing-library/react";
import { expect, test, vi } from "vitest";
import { kept, show } from "../../testing/page";

vi.mock("../../api/live", () => import("../../testing/live"));

import { channels } from "../../testing/live";
import { fileName } from "./Picture";
import Preview from "./Preview";

const cameras = [
  { id: 0, name: "LEFT" },
  { id: 1, name: "RIGHT" },
];
test("without a camera the page says how to get one", () => {
  channels.cameras = { cameras: [] };
  show(<Preview />);
  expect(screen.getByText("No cameras are set up yet.")).toBeDefined();
  expect(screen.getByRole("link", { name: "Check this server" })).toBeDefined();
  expect(document.querySelector("video")).toBeNull();
});

test("which pictures are shown, and their aids, are in the address", () => {
  channels.cameras = { cameras };
  show(<Preview />, "#/preview?show=cam1&aids=grid");
  expect(screen.getByRole("button", { name: "RIGHT" }).ariaPressed).toBe("true");
  expect(document.querySelectorAll("video")).toHaveLength(1);
  expect(document.querySelectorAll("[data-via] > svg path")).toHaveLength(4);
  fireEvent.click(screen.getByRole("button", { name: "Level" }));
  expect(kept("aids")).toBe("grid,level");
  fireEvent.click(screen.getByRole("button", { name: "Cameras" }));
  expect(kept("show")).toBeNull();
  expect(document.querySelectorAll("video")).toHaveLength(2);
});

test("a panorama that is not calibrated leads to the calibration", () => {
  channels.cameras = { cameras };
  channels.panorama_status = { panorama: {}, calibration: { calibrated: false } };
  show(<Preview />, "#/preview?show=panorama");
  const link = screen.getByRole("link", { name: "Calibrate now" });
  expect(link.getAttribute("href")).toBe("#/panorama?step=aim");
  expect(document.querySelectorAll("video")).toHaveLength(0);
});

test("a snapshot is named after its day, match, camera and time", () => {
  const at = new Date(2026, 10, 27, 15, 4, 5);
  expect(fileName("LEFT", null, at)).toBe("2026-11-27 LEFT 15.04.05.jpg");
  expect(fileName("LEFT", "Lions – Tigers", at)).toBe(
    "2026-11-27 Lions – Tigers LEFT 15.04.05.jpg",
  );
});

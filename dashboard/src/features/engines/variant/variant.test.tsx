import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Frame, serve, until } from "../fixtures";

const told: Record<string, unknown> = {};
vi.mock("../../../api/live", () => ({ useChannel: (channel: string) => told[channel] }));

import { VariantEditor } from "../Variant";
import { keptDraft } from "./unsaved";
import { isMemoryLimit } from "./VariantFields";

const entry = (name: string, more: object) => ({
  name,
  type: "int",
  default: 10,
  enabled: true,
  group: "buffer",
  help: "Amount buffered before playback starts.",
  unit: "s",
  choices: [],
  minimum: 2,
  maximum: 800,
  secret: false,
  ...more,
});
const CATALOGUE = [
  entry("--live-buffer", {}),
  entry("--access-token", { type: "string", group: "basic", secret: true, minimum: null }),
];
const saved = () => ({
  enabled: false,
  platform: "amd64",
  arm_version: "3.2.13",
  memory_limit: null,
  parameters: [
    { name: "--live-buffer", type: "int", value: 10, enabled: true, custom: false },
    { name: "--access-token", type: "string", value: "********", enabled: true, custom: false },
  ],
});

let config = saved();
const answers = {
  "GET /custom-variant/config": () => config,
  "GET /custom-variant/parameters": () => CATALOGUE,
  "GET /custom-variant/platform": () => ({ platform: "amd64", supported_platforms: ["amd64"] }),
  "GET /custom-variant/templates": () => ({ templates: [], active_template_id: null }),
  "POST /custom-variant/config": ({ body }: { body: unknown }) => ({
    message: "saved",
    config: body,
  }),
};

beforeEach(() => {
  config = saved();
  sessionStorage.clear();
  serve(answers);
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

const show = () =>
  render(
    <Frame>
      <a href="#/matches">Matches</a>
      <VariantEditor />
    </Frame>,
  );
const buffer = async () =>
  (await screen.findByLabelText("Value of --live-buffer")) as HTMLInputElement;
const type = (field: HTMLElement, value: string) => fireEvent.change(field, { target: { value } });

test("what was changed is marked, and outlives a reload", async () => {
  const page = show();
  type(await buffer(), "12");
  expect(screen.getByText("not saved")).toBeDefined();
  page.unmount();
  show();
  expect((await buffer()).value).toBe("12");
  expect(screen.getByText(/They were kept from before/)).toBeDefined();
  fireEvent.click(screen.getByRole("button", { name: "Discard" }));
  expect((await buffer()).value).toBe("10");
  expect(keptDraft()).toBeNull();
});

test("a secret that was typed is not kept", async () => {
  show();
  type(await screen.findByLabelText("Value of --access-token"), "hunter2");
  type(await buffer(), "12");
  await until(() => expect(keptDraft()).not.toBeNull());
  expect(sessionStorage.getItem("touchline-variant-draft")).not.toContain("hunter2");
});

test("a value out of its limits is told under the field, which has the old one again", async () => {
  show();
  const field = await buffer();
  expect(screen.getByText("2 to 800")).toBeDefined();
  type(field, "900");
  fireEvent.blur(field);
  expect(field.value).toBe("10");
  expect(screen.getByRole("alert").textContent).toBe("Must be 2 to 800. Back to 10.");
  expect(screen.queryByText("not saved")).toBeNull();
  type(field, "800");
  fireEvent.blur(field);
  expect(screen.queryByRole("alert")).toBeNull();
  expect(field.value).toBe("800");
});

test("a memory limit that engines cannot have is told at its field", async () => {
  show();
  const field = (await screen.findByLabelText("Memory limit")) as HTMLInputElement;
  type(field, "lots");
  fireEvent.blur(field);
  expect(field.value).toBe("");
  expect(screen.getByRole("alert").textContent).toContain("32m to 128g");
  expect(["", "0", "512m", "2G", "128g"].map(isMemoryLimit)).not.toContain(false);
  expect(["31m", "129g", "2t", "-1", "1.5g"].map(isMemoryLimit)).not.toContain(true);
});

test("a refused save is told beside it, and what was typed stays", async () => {
  serve({
    ...answers,
    "POST /custom-variant/config": () =>
      Response.json(
        { detail: "Invalid configuration: --own is unknown", code: "invalid_configuration" },
        { status: 400 },
      ),
  });
  show();
  type(await buffer(), "12");
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  const alert = await screen.findByRole("alert");
  expect(alert.textContent).toContain("Not saved");
  expect(alert.textContent).toContain("--own is unknown");
  expect((await buffer()).value).toBe("12");
  expect(screen.getByText("not saved")).toBeDefined();
});

test("what is saved is no draft any more", async () => {
  show();
  type(await buffer(), "12");
  fireEvent.click(screen.getByRole("button", { name: "Save" }));
  await until(() => expect(screen.queryByText("not saved")).toBeNull());
  expect((await buffer()).value).toBe("12");
  expect(keptDraft()).toBeNull();
});

test("a draft on top of what somebody has replaced since says so", async () => {
  const page = show();
  type(await buffer(), "12");
  page.unmount();
  config = { ...saved(), enabled: true };
  show();
  expect(await screen.findByText(/have changed since you began/)).toBeDefined();
});

test("a link and the closing of the window ask before unsaved changes are left", async () => {
  location.hash = "#/engines?tab=variant";
  show();
  const closing = () => {
    const event = new Event("beforeunload", { cancelable: true });
    dispatchEvent(event);
    return event.defaultPrevented;
  };
  await buffer();
  expect(closing()).toBe(false);
  type(await buffer(), "12");
  expect(closing()).toBe(true);
  fireEvent.click(screen.getByText("Matches"));
  fireEvent.click(await screen.findByRole("button", { name: "Stay" }));
  expect(location.hash).toBe("#/engines?tab=variant");
  fireEvent.click(screen.getByText("Matches"));
  fireEvent.click(await screen.findByRole("button", { name: "Leave" }));
  await until(() => expect(location.hash).toBe("#/matches"));
});

test("an own parameter needs a name that engines take, and only once", async () => {
  show();
  await buffer();
  const name = screen.getByLabelText("Name of your own parameter");
  const add = screen.getByRole("button", { name: "Add your own parameter" });
  type(name, "buffer");
  fireEvent.click(add);
  expect(screen.getByRole("alert").textContent).toContain("--my-parameter");
  type(name, "--live-buffer");
  fireEvent.click(add);
  expect(screen.getByRole("alert").textContent).toBe("Already in the list");
  type(name, "--own");
  fireEvent.click(add);
  expect(await screen.findByRole("switch", { name: "--own" })).toBeDefined();
});

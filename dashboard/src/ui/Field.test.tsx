import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { ServerError } from "../api/http";
import { loadLanguage } from "../messages";
import { Field, NumberSetting } from "./Field";

afterEach(async () => {
  cleanup();
  await loadLanguage("en");
});

const field = () => screen.getByLabelText<HTMLInputElement>("Minimum");

/** Type a number and leave the field. */
function enter(text: string) {
  fireEvent.change(field(), { target: { value: text } });
  fireEvent.blur(field());
}

test("a field is described by its hint and by what is wrong with it", () => {
  render(<Field label="Minimum" hint="Engines that always run" error="Too many" />);
  expect(field().getAttribute("aria-invalid")).toBe("true");
  const described = field().getAttribute("aria-describedby")?.split(" ") ?? [];
  expect(described.map((id) => document.getElementById(id)?.textContent)).toEqual([
    "Engines that always run",
    "Too many",
  ]);
  expect(screen.getByRole("alert").textContent).toBe("Too many");
});

test("a field without a fault is valid and described by nothing", () => {
  render(<Field label="Minimum" />);
  expect(field().hasAttribute("aria-invalid")).toBe(false);
  expect(field().hasAttribute("aria-describedby")).toBe(false);
});

test("a number is saved once, when one has finished typing", async () => {
  const save = vi.fn(async () => undefined);
  render(<NumberSetting label="Minimum" value={4} min={2} max={800} onChange={save} />);
  fireEvent.blur(field());
  expect(save).not.toHaveBeenCalled();
  fireEvent.change(field(), { target: { value: "5" } });
  fireEvent.keyDown(field(), { key: "Enter" });
  fireEvent.blur(field());
  expect(save.mock.calls).toEqual([[5]]);
});

test.each([
  ["en", "2 to 800"],
  ["de", "2 bis 800"],
] as const)(
  "a number outside of its limits is not saved, and they are told (%s)",
  async (language, told) => {
    await loadLanguage(language);
    const save = vi.fn();
    render(<NumberSetting label="Minimum" value={4} min={2} max={800} onChange={save} />);
    enter("801");
    expect(screen.getByRole("alert").textContent).toBe(told);
    expect(field().value).toBe("4");
    expect(save).not.toHaveBeenCalled();
  },
);

test.each([
  ["", "Enter a number."],
  ["2.5", "This must be a whole number."],
])("%o is told to be no number that fits", (typed, told) => {
  render(<NumberSetting label="Minimum" value={4} onChange={vi.fn()} />);
  enter(typed);
  expect(screen.getByRole("alert").textContent).toBe(told);
  expect(field().value).toBe("4");
});

test("a save that fails is told under the field, which has its old value again", async () => {
  const save = vi.fn(async () => {
    throw new ServerError("The database is not writable", 503, "database_unavailable");
  });
  render(<NumberSetting label="Minimum" value={4} onChange={save} />);
  enter("5");
  const told = await screen.findByRole("alert");
  expect(told.textContent).toContain("Nothing was changed");
  expect(field().value).toBe("4");
  enter("5");
  await vi.waitFor(() => expect(save).toHaveBeenCalledTimes(2));
});

test("the server's new value is shown, but never over what is being typed", () => {
  const setting = (value: number) => (
    <NumberSetting label="Minimum" value={value} onChange={vi.fn()} />
  );
  const { rerender } = render(setting(4));
  rerender(setting(6));
  expect(field().value).toBe("6");
  fireEvent.change(field(), { target: { value: "9" } });
  rerender(setting(7));
  expect(field().value).toBe("9");
});

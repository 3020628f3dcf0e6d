import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test } from "vitest";
import { type Command, commandOf, KEYS } from "./keys";
import { useKeysEnabled, usePlayerKeys } from "./usePlayerKeys";

const done: string[] = [];

function Page() {
  const [enabled, setEnabled] = useKeysEnabled();
  const names = Object.keys(KEYS) as Command[];
  const commands = Object.fromEntries(names.map((name) => [name, () => void done.push(name)]));
  usePlayerKeys(commands as Record<Command, () => void>, enabled);
  return (
    <>
      <input aria-label="note" />
      <select aria-label="kind" />
      <input type="radio" aria-label="view" />
      <button type="button" onClick={() => setEnabled(!enabled)}>
        keys
      </button>
    </>
  );
}

beforeEach(() => {
  done.length = 0;
  localStorage.clear();
});
afterEach(cleanup);

const press = (key: string, on: Element | Window = document.body, more = {}) =>
  fireEvent.keyDown(on, { key, ...more });

test("each key does what the list says", () => {
  render(<Page />);
  for (const keys of Object.values(KEYS)) for (const key of keys) press(key);
  const wanted = Object.entries(KEYS).flatMap(([name, keys]) => keys.map(() => name));
  expect(done).toEqual(wanted);
  done.length = 0;
  press("K");
  press("ArrowRight");
  press("?", document.body, { shiftKey: true });
  expect(done).toEqual(["toggle", "stepOn", "help"]);
});

test("what is typed in a field is no command", () => {
  render(<Page />);
  for (const name of ["note", "kind"]) {
    for (const key of ["k", " ", "ArrowLeft", "m"]) press(key, screen.getByLabelText(name));
  }
  expect(done).toEqual([]);
});

test("a button keeps its space, a choice its arrows, and both leave the letters", () => {
  render(<Page />);
  const button = screen.getByRole("button");
  press(" ", button);
  press("ArrowRight", screen.getByLabelText("view"));
  expect(done).toEqual([]);
  press("l", button);
  press(",", screen.getByLabelText("view"));
  expect(done).toEqual(["on", "frameBack"]);
});

test("shortcuts of the browser and held keys are left alone, but steps go on", () => {
  render(<Page />);
  press("f", document.body, { ctrlKey: true });
  press("l", document.body, { metaKey: true });
  press("m", document.body, { repeat: true });
  press(" ", document.body, { repeat: true });
  expect(done).toEqual([]);
  press(".", document.body, { repeat: true });
  expect(done).toEqual(["frameOn"]);
});

test("a dialog has the keys for itself", () => {
  render(
    <>
      <Page />
      <div role="dialog" />
    </>,
  );
  press("k");
  expect(done).toEqual([]);
});

test("what another part of the page has done with a key is done", () => {
  const event = new KeyboardEvent("keydown", { key: "k", cancelable: true });
  event.preventDefault();
  expect(commandOf(event)).toBeNull();
});

test("keys can be switched off, and stay off on this device", () => {
  render(<Page />);
  fireEvent.click(screen.getByRole("button"));
  press("k");
  cleanup();
  render(<Page />);
  press("k");
  expect(done).toEqual([]);
  fireEvent.click(screen.getByRole("button"));
  press("k");
  expect(done).toEqual(["toggle"]);
});

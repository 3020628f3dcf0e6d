import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, test } from "vitest";
import { Stepper } from "./Stepper";

afterEach(cleanup);

function Size() {
  const [size, setSize] = useState(3);
  return (
    <Stepper label="Engines" value={size} onChange={setSize} min={2} max={5} hint="Now 3 run" />
  );
}

const value = () => screen.getByRole<HTMLInputElement>("spinbutton", { name: "Engines" });
const less = () => screen.getByRole("button", { name: "Less: Engines" });
const more = () => screen.getByRole("button", { name: "More: Engines" });
const told = () => screen.getByRole("status").textContent;

test("taps change the number, and a limit that holds is told", () => {
  render(<Size />);
  expect(told()).toBe("Now 3 run");
  fireEvent.click(less());
  expect(value().value).toBe("2");
  expect(told()).toBe("Minimum is 2");
  expect(less().getAttribute("aria-disabled")).toBe("true");
  fireEvent.click(less());
  expect(value().value).toBe("2");
  for (let tap = 0; tap < 5; tap += 1) fireEvent.click(more());
  expect(value().value).toBe("5");
  expect(told()).toBe("Maximum is 5");
});

test("keys change it, too, and what is typed is held to the limits", () => {
  render(<Size />);
  fireEvent.keyDown(value(), { key: "ArrowUp" });
  expect(value().value).toBe("4");
  fireEvent.change(value(), { target: { value: "99" } });
  fireEvent.keyDown(value(), { key: "Enter" });
  expect(value().value).toBe("5");
  fireEvent.change(value(), { target: { value: "" } });
  fireEvent.blur(value());
  expect(value().value).toBe("5");
});

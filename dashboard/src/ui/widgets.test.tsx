import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, expect, test, vi } from "vitest";
import { ServerError } from "../api/http";
import { loadLanguage } from "../messages";
import { ErrorNote } from "./basics";
import { CardsTable } from "./CardsTable";
import { CopyButton } from "./CopyButton";
import { EmptyState } from "./EmptyState";
import { Segmented } from "./Segmented";

afterEach(async () => {
  cleanup();
  Object.defineProperty(navigator, "clipboard", { value: undefined, configurable: true });
  await loadLanguage("en");
});

test("a fault is told with what to do, and the server's words for whoever asks", async () => {
  await loadLanguage("de");
  render(<ErrorNote error={new ServerError("derby is protected", 409, "match_protected")} />);
  const note = screen.getByRole("alert");
  expect(note.textContent).toContain("Dieses Spiel ist geschützt.");
  expect(note.textContent).toContain("Zuerst den Schutz aufheben.");
  expect(screen.getByText("derby is protected").closest("details")?.open).toBe(false);
});

test("an empty place says what it is for and how to fill it", () => {
  render(
    <EmptyState title="No matches yet" action={<button type="button">Record a match</button>}>
      Matches appear here once they are recorded.
    </EmptyState>,
  );
  expect(screen.getByText("No matches yet")).toBeDefined();
  expect(screen.getByRole("button", { name: "Record a match" })).toBeDefined();
});

test("one of a few values is chosen", () => {
  const choose = vi.fn();
  const options = [
    ["cards", "Cards"],
    ["table", "Table"],
  ] as const;
  render(<Segmented label="View" options={options} value="cards" onChange={choose} />);
  expect(screen.getByRole("group", { name: "View" })).toBeDefined();
  expect(screen.getByRole<HTMLInputElement>("radio", { name: "Cards" }).checked).toBe(true);
  fireEvent.click(screen.getByRole("radio", { name: "Table" }));
  expect(choose.mock.calls).toEqual([["table"]]);
});

test("a text is copied, and the button says so", async () => {
  const writeText = vi.fn(async (_text: string) => undefined);
  Object.defineProperty(navigator, "clipboard", { value: { writeText }, configurable: true });
  render(<CopyButton text="0a48c3" label="Copy id" />);
  fireEvent.click(screen.getByRole("button", { name: "Copy id" }));
  await vi.waitFor(() => expect(screen.getByRole("status").textContent).toBe("Copied"));
  expect(writeText).toHaveBeenCalledWith("0a48c3");
});

test("where a page has no clipboard the text is shown to be copied by hand", async () => {
  render(<CopyButton text="0a48c3" label="Copy id" icon />);
  fireEvent.click(screen.getByRole("button", { name: "Copy id" }));
  const shown = await screen.findByRole<HTMLInputElement>("textbox", { name: "Copy id" });
  expect(shown.value).toBe("0a48c3");
});

test("a table of cards is a table to a screen reader", () => {
  render(
    <CardsTable label="Engines">
      <table>
        <tbody>
          <tr>
            <td data-label="CPU">3 %</td>
          </tr>
        </tbody>
      </table>
    </CardsTable>,
  );
  expect(screen.getByRole("region", { name: "Engines" })).toBeDefined();
  expect(screen.getByRole("cell").getAttribute("data-label")).toBe("CPU");
});

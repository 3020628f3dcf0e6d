import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { useState } from "react";
import { afterEach, expect, test, vi } from "vitest";
import { Sheet } from "./Sheet";

afterEach(cleanup);

function Page() {
  const [open, setOpen] = useState(false);
  return (
    <main tabIndex={-1}>
      <button type="button" onClick={() => setOpen(true)}>
        Tools
      </button>
      <Sheet
        title="Clip"
        open={open}
        onClose={() => setOpen(false)}
        footer={<button type="button">Save clip</button>}
      >
        From 0:05 to 0:17
      </Sheet>
    </main>
  );
}

/** As a finger or a mouse does it. */
function press(name: string) {
  const button = screen.getByRole("button", { name });
  fireEvent.pointerDown(button);
  fireEvent.click(button);
}

test("a sheet has a title, and gives the focus back to what opened it", async () => {
  render(<Page />);
  expect(screen.queryByRole("dialog")).toBeNull();
  press("Tools");
  const sheet = screen.getByRole("dialog", { name: "Clip" });
  expect(sheet.textContent).toContain("From 0:05 to 0:17");
  expect(screen.getByRole("button", { name: "Save clip" })).toBeDefined();
  fireEvent.keyDown(sheet, { key: "Escape" });
  await vi.waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
  await vi.waitFor(() => expect(document.activeElement?.textContent).toBe("Tools"));
});

test("its button closes it", async () => {
  render(<Page />);
  press("Tools");
  press("Close");
  await vi.waitFor(() => expect(screen.queryByRole("dialog")).toBeNull());
});

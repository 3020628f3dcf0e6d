import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { Link, Route, Router } from "wouter";
import { type Place, useExactHash, useHashState, useNavigationGuard } from "./hashLocation";

afterEach(cleanup);

const answers: ((leaves: boolean) => void)[] = [];
const asked = vi.fn(() => new Promise<boolean>((resolve) => answers.push(resolve)));
const leaves = ({ path, query }: Place) => path !== "/edit" || query.get("tab") !== "draft";

function Editor({ unsaved }: { unsaved: boolean }) {
  useNavigationGuard(unsaved, { leaves, ask: asked });
  const [, setTab] = useHashState("tab");
  const [, setDetail] = useHashState("detail");
  return (
    <>
      <button type="button" onClick={() => setTab("other")}>
        other tab
      </button>
      <button type="button" onClick={() => setDetail("more")}>
        detail
      </button>
      <a href="#/plain">plain</a>
      <Link href="/list">list</Link>
    </>
  );
}

const arrived = (hash: string) =>
  vi.waitFor(() => expect(location.hash).toBe(hash), { timeout: 10_000 });
const question = (count: number) =>
  vi.waitFor(() => expect(asked).toHaveBeenCalledTimes(count), { timeout: 10_000 });
const answer = (yes: boolean) => answers.shift()?.(yes);

/** The editor, with a page before it in the history. */
async function edit(unsaved = true) {
  location.hash = "#/before";
  location.hash = "#/edit?tab=draft";
  await arrived("#/edit?tab=draft");
  const page = render(
    <Router hook={useExactHash}>
      <Route path="/edit">{() => <Editor unsaved={unsaved} />}</Route>
      <Route path="/before">before</Route>
      <Route path="/list">list page</Route>
    </Router>,
  );
  // Its events are of before anybody listened.
  await new Promise((resolve) => setTimeout(resolve));
  return page;
}

beforeEach(() => {
  answers.length = 0;
  asked.mockClear();
});

test("unsaved changes are asked about before the way back leaves them", async () => {
  await edit();
  history.back();
  await question(1);
  expect(location.hash).toBe("#/edit?tab=draft");
  expect(screen.getByText("detail")).toBeDefined();
  answer(false);
  history.back();
  await question(2);
  answer(true);
  await arrived("#/before");
  expect(await screen.findByText("before")).toBeDefined();
  // Nobody is asked any more.
  history.forward();
  await arrived("#/edit?tab=draft");
  expect(asked).toHaveBeenCalledTimes(2);
});

test("unsaved changes are asked about before a link, a tab or an address that is typed leaves them", async () => {
  await edit();
  const ways = [
    () => fireEvent.click(screen.getByText("list")),
    () => fireEvent.click(screen.getByText("plain")),
    () => fireEvent.click(screen.getByText("other tab")),
    () => {
      location.hash = "#/list";
    },
  ];
  for (const [n, way] of ways.entries()) {
    way();
    await question(n + 1);
    await arrived("#/edit?tab=draft");
    answer(false);
  }
  fireEvent.click(screen.getByText("list"));
  await question(5);
  answer(true);
  expect(await screen.findByText("list page")).toBeDefined();
  expect(location.hash).toBe("#/list");
});

test("nothing is asked where nothing is left, or nothing is unsaved", async () => {
  const page = await edit();
  fireEvent.click(screen.getByText("detail"));
  await arrived("#/edit?tab=draft&detail=more");
  page.unmount();
  await edit(false);
  fireEvent.click(screen.getByText("list"));
  await arrived("#/list");
  const closing = new Event("beforeunload", { cancelable: true });
  dispatchEvent(closing);
  expect(closing.defaultPrevented).toBe(false);
  expect(asked).not.toHaveBeenCalled();
});

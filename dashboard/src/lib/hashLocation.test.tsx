import { cleanup, fireEvent, render, screen } from "@testing-library/react";
import createClient from "openapi-fetch";
import { afterEach, expect, test } from "vitest";
import { Link, Route, Router } from "wouter";
import type { paths } from "../api/schema";
import { decoded, streamPath, useExactHash, useHashState } from "./hashLocation";

const IDS = [
  ..."; / ? : @ & = + $ , # % | \\ \" ' < > ^ ` { } [ ] ! * ( ) ~".split(" ").map((c) => `a${c}b`),
  "http://tracker.example:8080/list?id=1&x=#a|e0d1",
  "a/stats",
  "/",
  "a%2Fb",
  "a%252fb",
  "100%",
  "Süd – Nord ⚽",
  " a b ",
];

afterEach(cleanup);

test.each(IDS)("a stream %j is opened by its link, and asked for by its id", async (id) => {
  location.hash = "";
  render(
    <Router hook={useExactHash}>
      <Link href={streamPath(id)}>open</Link>
      <Route path="/engines/streams/:streamId">
        {({ streamId }) => <output>{JSON.stringify(decoded(streamId))}</output>}
      </Route>
    </Router>,
  );
  const link = screen.getByText("open") as HTMLAnchorElement;
  link.click();
  expect((await screen.findByRole("status")).textContent).toBe(JSON.stringify(id));
  // As a page that is opened anew, or in another tab.
  expect(link.hash).toBe(location.hash);

  const asked: string[] = [];
  const api = createClient<paths>({
    baseUrl: "http://here",
    fetch: async (request) => {
      asked.push(request.url);
      return Response.json({});
    },
  });
  await api.GET("/streams/{stream_id}", { params: { path: { stream_id: id } } });
  expect(asked).toEqual([`http://here/streams/${encodeURIComponent(id)}`]);
});

test("a link of a match with spaces and letters of any kind leads to it", async () => {
  location.hash = `#/matches/${encodeURIComponent("2026-11-27 Süd - Łódź")}`;
  render(
    <Router hook={useExactHash}>
      <Route path="/matches/:matchId">{({ matchId }) => <output>{decoded(matchId)}</output>}</Route>
    </Router>,
  );
  expect(screen.getByRole("status").textContent).toBe("2026-11-27 Süd - Łódź");
});

const shown: (string | null)[] = [];

function Page() {
  const [tab, setTab] = useHashState("tab");
  const [level] = useHashState("level");
  shown.push(tab, level);
  return (
    <button type="button" onClick={() => setTab(tab === "logs" ? "a?b#c" : null)}>
      {tab}
    </button>
  );
}

test("what a page keeps behind the question mark survives and is no part of its path", () => {
  location.hash = "#/system?tab=logs&level=a%26b";
  shown.length = 0;
  render(
    <Router hook={useExactHash}>
      <Route path="/system" component={Page} />
    </Router>,
  );
  expect(shown).toEqual(["logs", "a&b"]);
  const button = screen.getByRole("button");
  fireEvent.click(button);
  expect(button.textContent).toBe("a?b#c");
  expect(new URLSearchParams(location.hash.split("?")[1]).get("level")).toBe("a&b");
  fireEvent.click(button);
  expect(location.hash).toBe("#/system?level=a%26b");
});

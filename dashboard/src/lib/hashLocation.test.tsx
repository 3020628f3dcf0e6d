import { cleanup, render, screen } from "@testing-library/react";
import createClient from "openapi-fetch";
import { afterEach, expect, test } from "vitest";
import { Link, Route, Router } from "wouter";
import type { paths } from "../api/schema";
import { decoded, streamPath, useExactHash } from "./hashLocation";

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

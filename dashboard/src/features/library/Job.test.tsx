import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, render, screen } from "@testing-library/react";
import { afterEach, expect, test } from "vitest";
import type { Schema } from "../../api/http";
import { loadLanguage, words } from "../../messages";
import { FeedbackProvider } from "../../ui/feedback";
import { Job } from "./Job";

afterEach(cleanup);

const DONE: Schema["JobState"] = {
  job_id: "a",
  kind: "archive",
  match_id: "final",
  params: {},
  state: "done",
  created_at: "2026-11-29T10:00:00Z",
  started_at: null,
  ended_at: null,
  attempts: 1,
  progress: 1,
  eta_s: null,
  total: null,
  error: null,
  result: {},
  log: [],
};

function show(job: Schema["JobState"]) {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <FeedbackProvider>
        <Job job={job} />
      </FeedbackProvider>
    </QueryClientProvider>,
  );
}

test("files that are not in what was made are named with the reasons", () => {
  show({ ...DONE, result: { left_out: { "cam0_01.mkv": "cam0_01.mkv is no MP4" } } });
  expect(screen.getByText("Some files were left out").parentElement?.textContent).toContain(
    "cam0_01.mkv is no MP4",
  );
});

test("where nothing is left out nothing is said of it", () => {
  show({ ...DONE, result: null });
  expect(screen.queryByText("Some files were left out")).toBeNull();
});

test.each(["en", "de"] as const)(
  "a job that failed says why and can be repeated: %s",
  async (language) => {
    await loadLanguage(language);
    show({ ...DONE, state: "failed", error: { message: "gone", code: "disk_full" } as never });
    expect(screen.getByText(words.library.job.states.failed)).toBeDefined();
    expect(screen.getByRole("alert").textContent).toContain(words.errors.codes.disk_full.what);
    const again = words.library.job.retryOf(words.library.job.kinds.archive);
    expect(screen.getByRole("button", { name: again })).toBeDefined();
    await loadLanguage("en");
  },
);

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { cleanup, configure, render, screen, within } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";
import type { Schema } from "../../api/http";
import { idle, LEFT, RIGHT } from "../../lib/fixtures";
import { FeedbackProvider } from "../../ui/feedback";
import { fake } from "./fakes";
import { MatchDay } from "./MatchDay";

// Whatever the machine does meanwhile.
configure({ asyncUtilTimeout: 20_000 });
vi.setConfig({ testTimeout: 60_000 });

type Told = {
  recording?: Schema["Status"]["recording"];
  last_stop?: Schema["Status"]["last_stop"];
  cameras?: Schema["CameraStatus"][];
  health?: Schema["RecordingHealth"];
  calibration?: { calibrated: boolean };
  temperature?: Partial<Schema["Temperature"]>;
  minutesLeft?: number | null;
  viewers?: boolean;
};

/** Shows the page as it is when the server has told this. */
export function shown({
  recording = idle,
  last_stop = null,
  cameras = [LEFT, RIGHT],
  health,
  calibration,
  temperature,
  minutesLeft = 2_400,
  viewers = true,
}: Told = {}) {
  fake.channels = {
    status: { recording, last_stop, preview: { preview_while_recording: viewers } },
    cameras: { cameras, disk_minutes_left: minutesLeft },
    recording_health: health,
    panorama_status: calibration && { calibration },
    system_metrics: temperature && {
      temperature: { max_c: 50, zones: [], warning: false, critical: false, ...temperature },
    },
    events: [],
  };
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  return render(
    <QueryClientProvider client={client}>
      <FeedbackProvider>
        <MatchDay />
      </FeedbackProvider>
    </QueryClientProvider>,
  );
}

/** Closes the page; what the browser keeps is kept. */
export const leave = cleanup;

export const word = () => document.querySelector(".state-word")?.textContent;
export const state = () => within(screen.getByRole("region", { name: "State" }));
export const problems = () => within(screen.getByRole("region", { name: "Problems" }));
export const button = (name: string | RegExp) => screen.getByRole("button", { name });

beforeEach(() => {
  Object.assign(fake, { commands: [], reports: [], connection: "open", asked: [] });
  fake.matches = { m0: { details: { home: "Owls", away: "Bears" }, files: [], created_at: 1 } };
  sessionStorage.clear();
  localStorage.clear();
  vi.stubGlobal("fetch", async (request: Request) => {
    const { pathname } = new URL(request.url);
    fake.asked.push(`${request.method} ${pathname}`);
    if (pathname.endsWith("/markers")) return Response.json({ markers: [] });
    return Response.json(pathname === "/api/v1/recordings" ? { recordings: fake.matches } : []);
  });
});
afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

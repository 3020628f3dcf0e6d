import { expect, test, vi } from "vitest";

vi.mock("../api/live", () => ({ live: {} }));

import { Histories } from "./history";
import { charted, type Kept } from "./metrics";

const kept = (times: number[], cpu: (number | null)[], to: number): Kept => {
  const nothing = times.map(() => null);
  return {
    range: "hour",
    step_s: 10,
    from: to - 3600,
    to,
    times,
    series: {
      cpu_percent: cpu,
      memory_percent: nothing,
      disk_percent: nothing,
      temperature_c: nothing,
      engines: nothing,
      streams: nothing,
    },
    matches: [],
  };
};
const heard = (times: number[]) => {
  const since = new Histories(100);
  for (const at of times) since.add(at, { cpu_percent: at, memory_percent: 1 });
  return since;
};

test("what the page has heard goes on where the server's history ends", () => {
  const { times, cpu_percent } = charted(
    kept([100, 110], [1, 2], 121),
    121,
    heard([112, 121, 124]),
  );
  expect(times).toEqual([100, 110, 121, 124]);
  expect(cpu_percent).toEqual([1, 2, 121, 124]);
});

test("gaps of the history stay gaps, and so does the time for which the page was asleep", () => {
  const { times, cpu_percent } = charted(kept([10, 20, 500], [1, null, 3], 510), 510, heard([900]));
  expect(cpu_percent).toEqual([1, null, 3, null, 900]);
  expect(times[3]).toBe(501);
});

test("a server whose clock is another than the device's is drawn in one piece", () => {
  const { times } = charted(kept([100, 110], [1, 2], 120), 1_120, heard([1_121]));
  expect(times).toEqual([1_100, 1_110, 1_121]);
});

test("until the history is there the page draws what it has heard", () => {
  expect(charted(undefined, 0, heard([5, 8])).times).toEqual([5, 8]);
  expect(charted(undefined, 0, new Histories(5)).times).toEqual([]);
});

test("matches are on the same axis as the figures, also when the clocks differ", () => {
  const history = {
    ...kept([100, 110], [1, 2], 120),
    matches: [
      { match_id: "2026-11-27 Lions - Tigers", start: 50, end: 105 },
      { match_id: "running", start: 110, end: null },
    ],
  };
  expect(charted(history, 1_120, new Histories(5)).matches).toEqual([
    { matchId: "2026-11-27 Lions - Tigers", from: 1_050, to: 1_105 },
    { matchId: "running", from: 1_110, to: null },
  ]);
});

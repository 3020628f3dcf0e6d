import { expect, test } from "vitest";
import { lastStop, loss } from "./fixtures";
import { lossInWords, lostInAll, verdictOf } from "./losses";

test.each([
  [loss(), "LEFT stopped for 0.4 s at 0:05 and is back. The camera sent nothing."],
  [
    loss({ kind: "worker", seconds: 75, from_s: 3_725 }),
    "LEFT stopped for 1 min at 1:02:05 and is back. The camera program restarted.",
  ],
  [
    loss({ kind: "interruption", length_known: false }),
    "LEFT stopped for an unknown time at 0:05 and is back. The server was interrupted.",
  ],
  [loss({ ended: false }), "LEFT has been down since 0:05. The camera sent nothing."],
  [loss({ kind: "of a later server" as "camera" }), "LEFT stopped for 0.4 s at 0:05 and is back."],
])("a loss is a sentence that names the camera, when and why", (found, sentence) => {
  expect(lossInWords(found)).toBe(sentence);
});

test("all losses are one figure", () => {
  expect(lostInAll([])).toBe("Nothing lost");
  expect(lostInAll([loss()])).toBe("Lost: 0.4 s (1 gap)");
  expect(lostInAll([loss(), loss({ from_s: 9, seconds: 1.2 })])).toBe("Lost: 1.6 s (2 gaps)");
});

const right = { camera: "camera_1", name: "RIGHT" };

test.each([
  [lastStop(), "good", "Match saved. Nothing is missing"],
  [lastStop({ gaps: [loss()] }), "warn", "Match saved. 1 short gap (0.4 s, LEFT)"],
  [
    lastStop({ gaps: [loss({ seconds: 20 }), loss({ ...right, seconds: 2 })] }),
    "warn",
    "Match saved. 2 gaps (22 s, LEFT and RIGHT)",
  ],
  [
    lastStop({ success: false, faults: [{ ...right, message: "EOS timed out" }] }),
    "bad",
    "Match saved, but RIGHT did not stop cleanly",
  ],
  [
    lastStop({ success: false, files_ok: false, faults: [{ ...right, message: "moov missing" }] }),
    "bad",
    "Match saved, but files of RIGHT may be damaged",
  ],
  [
    lastStop({ success: false, files_ok: false }),
    "bad",
    "Match saved, but some files may be damaged",
  ],
  [lastStop({ success: false, files_ok: null }), "bad", "The recording was interrupted"],
] as const)("a verdict says what became of the match", (stop, tone, title) => {
  expect(verdictOf(stop)).toMatchObject({ tone, title });
});

test("a verdict that is bad says what is kept and what to do, and keeps the programs' words apart", () => {
  const { lines, details } = verdictOf(
    lastStop({
      success: false,
      files_ok: false,
      message: "integrity checks failed",
      faults: [{ ...right, message: "moov missing" }],
      gaps: [loss()],
    }),
  );
  expect(lines).toEqual([
    "Everything else is kept. Recorded: 43 min.",
    "Delete nothing. Open the match and choose “Verify” to see what can be played.",
    "LEFT: 0.4 s missing at 0:05",
  ]);
  expect(details).toEqual([
    "integrity checks failed",
    "LEFT: no data for 3.1 s",
    "RIGHT: moov missing",
  ]);
});

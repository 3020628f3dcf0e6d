import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type RefObject, useEffect, useRef, useState } from "react";
import { api, ask, askDone, type Schema, ServerError } from "../../api/http";
import { qualityInWords } from "../../lib/quality";
import { words } from "../../messages";
import { useFeedback } from "../../ui/feedback";
import type { PointPair } from "./usePoints";

export const PAIRS = 12;
const BETWEEN_MS = 1_200;
const FEW_DETAILS = 2;

export type Phase = "starting" | "capturing" | "matching" | "match";
export type Calibration = ReturnType<typeof useCalibration>;
type Made = { done: Schema["CalibrationCompleted"]; before: number | null };

/** The two ways to a calibration, and how far the one that runs has come. */
export function useCalibration(
  points: PointPair[],
  told: Schema["CalibrationStatus"] | undefined,
  on: { begun: () => void; done: (after: number, before: number | null) => void },
) {
  const queries = useQueryClient();
  const { tell } = useFeedback();
  const [phase, setPhase] = useState<Phase | null>(null);
  const halted = useHalt();
  const takenBefore = told?.frames_captured ?? 0;
  const pairs = usePairs(takenBefore, halted, setPhase);
  const [isStopped, setStopped] = useState(false);

  const run = useMutation({
    mutationFn: async (how: { resume: boolean } | { match: string }): Promise<Made | null> => {
      // Afterwards the new one is in use.
      const before = told?.version ?? null;
      halted.current = false;
      setStopped(false);
      if ("match" in how) {
        setPhase("match");
        const body = { match_id: how.match, instants: PAIRS, points };
        const done = await ask(api.POST("/api/v1/panorama/calibration/from-match", { body }));
        return { done, before };
      }
      on.begun();
      if (!(await pairs.capture(how.resume))) return null;
      setPhase("matching");
      const body = { points };
      const done = await ask(api.POST("/api/v1/panorama/calibration/complete", { body }));
      return { done, before };
    },
    onSuccess: (made) => {
      if (made === null) {
        setStopped(true);
        return;
      }
      void queries.invalidateQueries({ queryKey: ["calibrations"] });
      tell(words.panorama.guide.done(qualityInWords(made.done).word));
      if (!halted.current) on.done(made.done.version, made.before);
    },
    onSettled: () => setPhase(null),
  });
  return {
    phase,
    taken: Math.min(PAIRS, pairs.taken ?? takenBefore),
    fewDetails: pairs.dull > FEW_DETAILS,
    isStopped,
    isBusy: run.isPending,
    error: run.error,
    capture: run.mutate as (how: { resume: boolean }) => void,
    fromMatch: (match: string) => run.mutate({ match }),
    stop: () => {
      halted.current = true;
    },
    forget: run.reset,
  };
}

/** Captures the pairs one after the other, and counts them and those that show little. */
function usePairs(
  takenBefore: number,
  halted: RefObject<boolean>,
  setPhase: (phase: Phase) => void,
) {
  const [taken, setTaken] = useState<number | null>(null);
  const [dull, setDull] = useState(0);
  /** What is left of them; false when it was stopped. The pairs are kept then. */
  const capture = async (resume: boolean): Promise<boolean> => {
    let count = resume ? takenBefore : 0;
    setTaken(count);
    setDull(0);
    if (!resume) {
      setPhase("starting");
      await started();
    }
    setPhase("capturing");
    while (count < PAIRS) {
      const pair = await capturedPair();
      count = pair.frames_captured;
      setTaken(count);
      if (!pair.sharp) setDull((pairs) => pairs + 1);
      if (halted.current) return false;
      if (count < PAIRS) await after(BETWEEN_MS);
    }
    return !halted.current;
  };
  return { taken, dull, capture };
}

/** Whether to stop at the next pair; who leaves the page stops it, too. */
function useHalt() {
  const halted = useRef(false);
  useEffect(() => {
    halted.current = false;
    return () => {
      halted.current = true;
    };
  }, []);
  return halted;
}

const TRIES = 4;
const after = (ms: number) => new Promise((done) => setTimeout(done, ms));

/** Starts anew; live pictures of this page, which have just been closed, may still be ending. */
async function started() {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askDone(api.POST("/api/v1/panorama/calibration/start", { body: {} }));
    } catch (error) {
      const taken = error instanceof ServerError && error.code === "calibration_refused";
      if (!taken || attempt >= TRIES) throw error;
      await after(BETWEEN_MS);
    }
  }
}

/** A pair of pictures; a camera that has none at the moment is asked again before it is given up. */
async function capturedPair() {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(api.POST("/api/v1/panorama/calibration/capture"));
    } catch (error) {
      const again = error instanceof ServerError && error.status >= 500 && attempt < TRIES;
      if (!again) throw error;
      await after(BETWEEN_MS * attempt);
    }
  }
}

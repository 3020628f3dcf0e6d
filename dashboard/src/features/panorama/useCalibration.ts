import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { api, ask, askDone, type Schema, ServerError } from "../../api/http";
import { qualityInWords } from "../../lib/quality";
import { useAction } from "../../ui/feedback";
import type { PointPair } from "./Pointed";

export const PAIRS = 12;
const BETWEEN_MS = 1_200;

/** The two ways to a calibration, and how far the one that runs has come. */
export function useCalibration(points: PointPair[], onFinished: () => void) {
  const queries = useQueryClient();
  const [progress, setProgress] = useState<string | null>(null);
  const [taken, setTaken] = useState(0);
  const [dull, setDull] = useState(0);
  const over = useRef(false);
  useEffect(() => {
    over.current = false;
    return () => {
      over.current = true;
    };
  }, []);
  const finished = (done: Schema["CalibrationCompleted"]) => {
    onFinished();
    void queries.invalidateQueries({ queryKey: ["calibrations"] });
    return `${done.message}: ${qualityInWords(done).word.toLowerCase()}`;
  };
  const run = useAction(
    async () => {
      setTaken(0);
      setDull(0);
      try {
        setProgress("Looking through both cameras…");
        await askDone(api.POST("/api/v1/panorama/calibration/start", { body: {} }));
        for (let n = 1; n <= PAIRS && !over.current; n += 1) {
          setProgress(`Pair ${n} of ${PAIRS}: let people move about where both cameras look`);
          const pair = await capturedPair();
          setTaken(pair.frames_captured);
          if (!pair.sharp) setDull((count) => count + 1);
          await new Promise((done) => setTimeout(done, BETWEEN_MS));
        }
        if (over.current) throw new Error("The calibration was left; the pairs are kept");
        setProgress("Matching what both cameras see…");
        return await ask(api.POST("/api/v1/panorama/calibration/complete", { body: { points } }));
      } finally {
        setProgress(null);
      }
    },
    { done: finished },
  );
  const fromMatch = useAction(
    async (matchId: string) => {
      setProgress("Taking pairs from the match and matching them…");
      try {
        return await ask(
          api.POST("/api/v1/panorama/calibration/from-match", {
            body: { match_id: matchId, instants: PAIRS, points },
          }),
        );
      } finally {
        setProgress(null);
      }
    },
    { done: finished },
  );
  return { run, fromMatch, progress, taken, dull };
}

const TRIES = 4;

/** A pair of pictures; a camera that has none at the moment is asked again before it is given up. */
async function capturedPair() {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await ask(api.POST("/api/v1/panorama/calibration/capture"));
    } catch (error) {
      const again = error instanceof ServerError && error.status >= 500 && attempt < TRIES;
      if (!again) throw error;
      await new Promise((done) => setTimeout(done, BETWEEN_MS * attempt));
    }
  }
}

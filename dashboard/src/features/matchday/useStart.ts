import { useState } from "react";
import type { Schema } from "../../api/http";
import { live } from "../../api/live";
import { type Failure, refusalOf, startFailure } from "../../lib/readiness";
import { words } from "../../messages";
import { useAction, useFeedback } from "../../ui/feedback";
import { type Draft, orderOf } from "./draft";

/** A match to be recorded; with `requireAll` false the cameras that are there are enough. */
export type Start = { draft: Draft; process: boolean; requireAll: false | null };

/** What a start came to that was none. */
class NotStarted extends Error {
  constructor(readonly failure: Failure) {
    super(failure.title);
  }
}

/** Starts recordings; what one failed for stays until the next. */
export function useStart(cameras: Schema["CameraStatus"][], started: () => void) {
  const [failure, setFailure] = useState<Failure | null>(null);
  const { tell } = useFeedback();
  const action = useAction(
    async ({ draft, process, requireAll }: Start) => {
      setFailure(null);
      const order: Schema["StartRecording"] = {
        ...orderOf(draft),
        force: false,
        process_after_recording: process,
        require_all_cameras: requireAll,
      };
      const report = await live.command<Schema["StartReport"]>("start_recording", order);
      if (!report.success) throw new NotStarted(startFailure(report, cameras));
      if (report.details_saved === false) {
        tell(words.matchday.start.detailsNotSaved, { bad: true });
      }
      started();
    },
    {
      failed: (error) => setFailure(error instanceof NotStarted ? error.failure : refusalOf(error)),
    },
  );
  const last = action.variables;
  return {
    failure,
    pending: action.isPending,
    start: action.mutate,
    again: () => last && action.mutate(last),
  };
}

export type Starter = ReturnType<typeof useStart>;

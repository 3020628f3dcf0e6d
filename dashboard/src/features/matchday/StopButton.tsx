import { Square } from "lucide-react";
import { useState } from "react";
import type { MatchEntry } from "../../api/capture";
import type { Schema } from "../../api/http";
import { live } from "../../api/live";
import { declined, errorWords } from "../../lib/errorWords";
import { duration } from "../../lib/format";
import { titleOf } from "../../lib/matchName";
import { words } from "../../messages";
import { Button, Details, Note } from "../../ui/basics";
import { useAction, useFeedback } from "../../ui/feedback";
import type { Active } from "./State";

/** Stops the recording, after a question; what that came to is told by the status, to every page. */
export function StopButton({
  recording,
  entry,
}: {
  recording: Active;
  entry: MatchEntry | undefined;
}) {
  const { confirm } = useFeedback();
  const [failure, setFailure] = useState<Error | null>(null);
  const { stop } = words.matchday;
  const order = (force: boolean) => live.command<Schema["StopReport"]>("stop_recording", { force });
  const action = useAction(
    async () => {
      setFailure(null);
      const yes = await confirm({
        title: stop.ask(titleOf(recording.match_id, entry?.details)),
        body: stop.askBody(duration(recording.duration)),
        action: stop.button,
        danger: true,
      });
      if (!yes) return;
      let report = await order(false);
      if (report.protected) {
        const sure = await confirm({
          title: stop.early(duration(recording.duration)),
          body: stop.earlyBody,
          action: stop.anyway,
          danger: true,
        });
        if (!sure) return;
        report = await order(true);
      }
      // What was stopped has a verdict; what was not goes on.
      if (!report.success && !report.match_id) throw declined(report);
    },
    { failed: setFailure },
  );
  return (
    <>
      <Button
        tone="danger"
        size="huge"
        disabled={action.isPending}
        onClick={() => action.mutate(undefined)}
      >
        <Square aria-hidden /> {action.isPending ? stop.stopping : stop.button}
      </Button>
      {failure !== null && <NotStopped failure={failure} />}
    </>
  );
}

/** Why the recording was not stopped, and what to do about it. */
function NotStopped({ failure }: { failure: Error }) {
  const { stop } = words.matchday;
  const { what, todo, details } = errorWords(failure);
  const known = todo !== undefined || details !== undefined;
  return (
    <Note tone="bad" alert title={stop.failed}>
      <p>{known ? [what, todo].filter(Boolean).join(" ") : stop.failedTodo}</p>
      <Details lines={known ? (details ? [details] : []) : [what]} />
    </Note>
  );
}

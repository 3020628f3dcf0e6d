import { api, ask, type Schema } from "../../api/http";
import { jobFailure } from "../../lib/errorWords";
import { duration } from "../../lib/format";
import { words } from "../../messages";
import { Badge, Button, ErrorNote, Note, Progress } from "../../ui/basics";
import { useAction } from "../../ui/feedback";

type JobState = Schema["JobState"];

const TONES = {
  waiting: "plain",
  running: "info",
  paused: "warn",
  done: "good",
  failed: "bad",
  cancelled: "plain",
} as const;

/** Whether a job is still to be done, or being done. */
export const isActive = ({ state }: JobState) =>
  state === "running" || state === "waiting" || state === "paused";

function nameOf(kind: string): string {
  const names: Record<string, string> = words.library.job.kinds;
  return names[kind] ?? kind;
}

/** A job with how far it is, and what can be done about it. */
export function Job({ job }: { job: JobState }) {
  const text = words.library.job;
  const name = nameOf(job.kind);
  const active = isActive(job);
  const leftOut = Object.values(job.result?.left_out ?? {}).map(String);
  return (
    <div className="stack">
      <div className="row between">
        <span className="row">
          {name} <Badge tone={TONES[job.state]}>{text.states[job.state]}</Badge>
        </span>
        <span className="row">
          {active && job.eta_s !== null && (
            <span className="muted small">{text.left(duration(job.eta_s))}</span>
          )}
          <Actions job={job} name={name} />
        </span>
      </div>
      {active && <Progress label={text.progress(name)} value={job.progress} />}
      {job.error && <ErrorNote error={jobFailure(job.error)} />}
      {leftOut.length > 0 && (
        <Note tone="warn" title={text.leftOut}>
          {leftOut.join("; ")}
        </Note>
      )}
    </div>
  );
}

function Actions({ job, name }: { job: JobState; name: string }) {
  const text = words.library.job;
  const params = { path: { job_id: job.job_id } };
  const cancel = useAction(() =>
    ask(api.POST("/api/v1/processing/jobs/{job_id}/cancel", { params })),
  );
  const retry = useAction(() =>
    ask(api.POST("/api/v1/processing/jobs/{job_id}/retry", { params })),
  );
  const remove = useAction(() => ask(api.DELETE("/api/v1/processing/jobs/{job_id}", { params })));
  if (isActive(job)) {
    return (
      <Button
        size="small"
        aria-label={text.cancelOf(name)}
        disabled={cancel.isPending}
        onClick={() => cancel.mutate(undefined)}
      >
        {text.cancel}
      </Button>
    );
  }
  return (
    <>
      {job.state !== "done" && (
        <Button
          size="small"
          aria-label={text.retryOf(name)}
          disabled={retry.isPending}
          onClick={() => retry.mutate(undefined)}
        >
          {text.retry}
        </Button>
      )}
      <Button
        size="small"
        tone="quiet"
        aria-label={text.removeOf(name)}
        disabled={remove.isPending}
        onClick={() => remove.mutate(undefined)}
      >
        {text.remove}
      </Button>
    </>
  );
}

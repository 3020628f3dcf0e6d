import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Trash2 } from "lucide-react";
import { useState } from "react";
import { Link, useLocation } from "wouter";
import { type MatchEntry, matchPath, useMatches } from "../../api/capture";
import { api, ask, type Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { dateTime, duration, mebibytes, plural } from "../../lib/format";
import { parseMatchId } from "../../lib/matchName";
import { Badge, Button, Card, Check, Empty, Facts, Loading, Note, Progress } from "../../ui/basics";
import { CopyLink } from "../../ui/CopyLink";
import { DownloadButton } from "../../ui/DownloadButton";
import { useAction } from "../../ui/feedback";
import { MatchPlayer } from "../player/MatchPlayer";
import { Badges } from "./Matches";

export default function Match({ matchId }: { matchId: string }) {
  const matches = useMatches();
  const running = useChannel("status")?.recording.match_id === matchId;
  const entry = matches.data?.[matchId];
  const { title, competition, date } = parseMatchId(matchId);
  if (matches.isPending) return <Loading />;
  if (!entry) {
    return (
      <Empty>
        There is no match “{title}”. <Link href="/matches">All matches</Link>
      </Empty>
    );
  }
  return (
    <div className="page">
      <p>
        <Link href="/matches">All matches</Link>
      </p>
      <div className="page-head">
        <div>
          <h1>{title}</h1>
          <p className="muted">{[competition, date].filter(Boolean).join(" · ")}</p>
        </div>
        <Badges entry={entry} running={running} />
      </div>
      <MatchPlayer matchId={matchId} entry={entry} running={running} />
      <div className="columns">
        <Keeping matchId={matchId} entry={entry} running={running} />
        <Processing matchId={matchId} running={running} />
        <Files matchId={matchId} entry={entry} />
      </div>
    </div>
  );
}

type Part = { matchId: string; entry: MatchEntry; running: boolean };

function Keeping({ matchId, entry, running }: Part) {
  const [, go] = useLocation();
  const params = { path: { match_id: matchId } };
  const protect = useAction(
    (wanted: boolean) =>
      ask(
        api.PUT("/api/v1/recordings/{match_id}/protection", {
          params,
          body: { protected: wanted },
        }),
      ),
    { done: (now) => (now.protected ? "Nothing deletes it now" : "It may be deleted again") },
  );
  const [verification, setVerification] = useState<Schema["Verification"] | null>(null);
  const verify = useAction(async () => {
    setVerification(await ask(api.POST("/api/v1/recordings/{match_id}/verify", { params })));
  });
  const remove = useAction(
    async () => {
      const gone = await ask(api.DELETE("/api/v1/recordings/{match_id}", { params }));
      go("/matches");
      return gone;
    },
    {
      asks: () => ({
        title: `Delete ${parseMatchId(matchId).title}?`,
        body: `${mebibytes(entry.total_size_mb)} of footage and everything made of it are removed from the disk. This cannot be undone.`,
        action: "Delete for good",
        danger: true,
      }),
      done: (gone) => `Deleted; ${mebibytes(gone.size_mb_freed)} are free again`,
    },
  );
  return (
    <Card title="Footage">
      <Facts
        facts={[
          ["Began", dateTime(entry.started_at ?? entry.created_at)],
          ["Length", entry.duration_s ? duration(entry.duration_s) : "–"],
          ["Size", mebibytes(entry.total_size_mb)],
          ["Cameras", entry.camera_count],
          ["Segments", entry.segments_count],
          ["Gaps", entry.gaps ?? "–"],
          ["Interruptions", entry.interruptions ?? "–"],
        ]}
      />
      {verification && <Verdict of={verification} />}
      <div className="row">
        <Button disabled={verify.isPending} onClick={() => verify.mutate(undefined)}>
          {verify.isPending ? "Reading every byte…" : "Verify"}
        </Button>
        <Button
          disabled={running || protect.isPending}
          aria-pressed={entry.protected === true}
          onClick={() => protect.mutate(!entry.protected)}
        >
          {entry.protected ? "Protected" : "Protect"}
        </Button>
        <Button
          tone="danger"
          disabled={running || entry.protected === true || remove.isPending}
          onClick={() => remove.mutate(undefined)}
        >
          <Trash2 size={16} aria-hidden /> Delete
        </Button>
      </div>
    </Card>
  );
}

function Verdict({ of }: { of: Schema["Verification"] }) {
  const frames = Object.values(of.cameras).reduce((sum, camera) => sum + camera.frames, 0);
  if (of.ok) {
    return <Note tone="good" title={`All ${frames} frames are as they were written`} />;
  }
  return (
    <Note tone="bad" title={plural(of.faults.length, "fault")} alert>
      <ul>
        {of.faults.slice(0, 10).map((fault) => (
          <li key={`${fault.segment}${fault.code}${fault.fragment}`}>
            {fault.camera}
            {fault.segment && `, ${fault.segment}`}: {fault.what}
          </li>
        ))}
      </ul>
      Everything else can be played and downloaded.
    </Note>
  );
}

const STEPS = [
  ["archive", "One file a camera"],
  ["sprites", "Thumbnails for the player"],
  ["panorama", "Panorama"],
  ["follow", "Cut that follows the play"],
  ["reel", "Reel of the markers"],
  ["upload", "Upload"],
] as const;
type Step = (typeof STEPS)[number][0];

const JOB_TONES = {
  waiting: "plain",
  running: "info",
  paused: "warn",
  done: "good",
  failed: "bad",
  cancelled: "plain",
} as const;

function Processing({ matchId, running }: { matchId: string; running: boolean }) {
  const [steps, setSteps] = useState<Step[]>(["archive", "sprites"]);
  const jobs = (useChannel("jobs")?.jobs ?? []).filter((job) => job.match_id === matchId).reverse();
  const start = useAction(
    () =>
      ask(
        api.POST("/api/v1/recordings/{match_id}/process", {
          params: { path: { match_id: matchId } },
          body: { steps },
        }),
      ),
    { done: ({ jobs: made }) => `${plural(made.length, "job")} in the queue` },
  );
  const flip = (step: Step) =>
    setSteps((old) => (old.includes(step) ? old.filter((s) => s !== step) : [...old, step]));
  return (
    <Card title="Make something of it">
      <div className="fields">
        {STEPS.map(([step, name]) => (
          <Check
            key={step}
            label={name}
            checked={steps.includes(step)}
            onChange={() => flip(step)}
          />
        ))}
      </div>
      <div>
        <Button
          tone="primary"
          disabled={running || steps.length === 0 || start.isPending}
          onClick={() => start.mutate(undefined)}
        >
          Make
        </Button>
      </div>
      {running && <p className="muted small">After the match: the cameras come first.</p>}
      <ul className="stack">
        {jobs.map((job) => (
          <li key={job.job_id}>
            <Job job={job} />
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function Job({ job }: { job: Schema["JobState"] }) {
  const name = STEPS.find(([step]) => step === job.kind)?.[1] ?? job.kind;
  const params = { path: { job_id: job.job_id } };
  const cancel = useAction(() =>
    ask(api.POST("/api/v1/processing/jobs/{job_id}/cancel", { params })),
  );
  const retry = useAction(() =>
    ask(api.POST("/api/v1/processing/jobs/{job_id}/retry", { params })),
  );
  const remove = useAction(() => ask(api.DELETE("/api/v1/processing/jobs/{job_id}", { params })));
  const active = job.state === "running" || job.state === "waiting" || job.state === "paused";
  const leftOut = Object.values(job.result?.left_out ?? {}).map(String);
  return (
    <div className="stack">
      <div className="row between tight">
        <span>
          {name} <Badge tone={JOB_TONES[job.state]}>{job.state}</Badge>
        </span>
        <span className="row">
          {active && job.eta_s !== null && (
            <span className="muted small">{duration(job.eta_s)} left</span>
          )}
          {active && (
            <Button size="small" onClick={() => cancel.mutate(undefined)}>
              Stop
            </Button>
          )}
          {(job.state === "failed" || job.state === "cancelled") && (
            <Button size="small" onClick={() => retry.mutate(undefined)}>
              Again
            </Button>
          )}
          {!active && (
            <Button size="small" tone="quiet" onClick={() => remove.mutate(undefined)}>
              Forget
            </Button>
          )}
        </span>
      </div>
      {active && <Progress label={`${name}, progress`} value={job.progress} />}
      {job.error && (
        <Note tone="bad" title={job.error.message}>
          {job.error.advice}
        </Note>
      )}
      {leftOut.length > 0 && (
        <Note tone="warn" title="Files were left out">
          {leftOut.join("; ")}
        </Note>
      )}
    </div>
  );
}

function Files({ matchId, entry }: { matchId: string; entry: MatchEntry }) {
  const queries = useQueryClient();
  const [open, setOpen] = useState(false);
  const segments = useQuery({
    queryKey: ["segments", matchId],
    enabled: open,
    queryFn: () =>
      ask(
        api.GET("/api/v1/recordings/{match_id}/segments", {
          params: { path: { match_id: matchId } },
        }),
      ),
  });
  const singles = entry.files.filter((file) => file.type === "single");
  const all = [
    ...(segments.data?.cam0 ?? []),
    ...(segments.data?.cam1 ?? []),
    ...(segments.data?.other ?? []),
  ];
  return (
    <Card
      title="Downloads"
      tools={
        <DownloadButton url={matchPath(matchId, "download")} name={`${matchId}.zip`}>
          Everything ({mebibytes(entry.total_size_mb)})
        </DownloadButton>
      }
    >
      <ul className="stack">
        {singles.map((file) => (
          <li key={file.file} className="row between">
            <span>{file.file}</span>
            <span className="row">
              <CopyLink path={matchPath(matchId, "files", file.file)} label={file.file} icon />
              <DownloadButton url={matchPath(matchId, "files", file.file)} name={file.file}>
                {mebibytes(file.size_mb)}
              </DownloadButton>
            </span>
          </li>
        ))}
      </ul>
      <Button
        size="small"
        aria-expanded={open}
        onClick={() => {
          setOpen(!open);
          void queries.invalidateQueries({ queryKey: ["segments", matchId] });
        }}
      >
        {open ? "Hide segments" : "Show segments"}
      </Button>
      {open && (
        <ul className="stack small">
          {all.map((segment) => (
            <li key={segment.name} className="row between">
              <span className="mono">{segment.name}</span>
              <DownloadButton url={segment.path} name={segment.name}>
                {mebibytes(segment.size_mb)}
              </DownloadButton>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

import { useMutation } from "@tanstack/react-query";
import { Sparkles } from "lucide-react";
import { type MatchEntry, matchPath } from "../../api/capture";
import { api, ask, type Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { jobFailure } from "../../lib/errorWords";
import { fileName } from "../../lib/fileName";
import { words } from "../../messages";
import { Button, ErrorNote, Progress } from "../../ui/basics";
import { ClipButtons } from "./ClipButtons";
import type { Subject } from "./ClipTools";
import { AFTER_S, BEFORE_S } from "./clips";
import styles from "./Player.module.css";

const FILE = "reel.mp4";
const ACTIVE: readonly Schema["JobState"]["state"][] = ["waiting", "running", "paused"];

/** Makes one video of all markers, and says how far it is. */
export function Highlights({
  subject,
  entry,
  running,
  count,
}: {
  subject: Subject;
  entry: MatchEntry;
  running: boolean;
  count: number;
}) {
  const { highlights } = words.player;
  const { matchId, camera } = subject;
  const jobs = useChannel("jobs")?.jobs ?? [];
  const job = jobs.findLast((each) => each.match_id === matchId && each.kind === "reel");
  const active = job !== undefined && ACTIVE.includes(job.state);
  const make = useMutation({
    mutationFn: () =>
      ask(
        api.POST("/api/v1/recordings/{match_id}/process", {
          params: { path: { match_id: matchId } },
          body: {
            steps: ["reel"],
            reel: { camera, before_s: BEFORE_S, after_s: AFTER_S, kinds: [] },
          },
        }),
      ),
  });
  return (
    <div className={styles.group}>
      <div className="row">
        <Button
          disabled={running || active || make.isPending || count === 0}
          onClick={() => make.mutate()}
        >
          <Sparkles size={16} aria-hidden /> {highlights.make(count)}
        </Button>
        <span className="small muted grow">{running ? highlights.later : highlights.about}</span>
      </div>
      <ErrorNote error={make.error} />
      {active && <Making job={job} />}
      {job?.state === "failed" && job.error && <ErrorNote error={jobFailure(job.error)} />}
      {!active && entry.files.some(({ file }) => file === FILE) && <Made subject={subject} />}
    </div>
  );
}

function Making({ job }: { job: Schema["JobState"] }) {
  const { highlights } = words.player;
  return (
    <>
      <span role="status" className="small">
        {job.state === "running" ? highlights.running : highlights.waiting}
      </span>
      <Progress label={highlights.progress} value={job.progress} />
    </>
  );
}

function Made({ subject }: { subject: Subject }) {
  const { highlights } = words.player;
  return (
    <div className="row">
      <span role="status" className="small">
        {highlights.ready}
      </span>
      <ClipButtons
        url={matchPath(subject.matchId, "files", FILE)}
        name={fileName(`${subject.title}, ${highlights.name}.mp4`)}
        texts={{ save: highlights.save, share: highlights.share }}
      />
    </div>
  );
}

import { ArrowLeft, Pencil } from "lucide-react";
import { useState } from "react";
import { Link } from "wouter";
import { useMatches } from "../../api/capture";
import { useChannel } from "../../api/live";
import { detailsOf } from "../../lib/matchName";
import { words } from "../../messages";
import { Button, Empty, ErrorNote, Loading } from "../../ui/basics";
import { MatchPlayer } from "../player/MatchPlayer";
import { Badges } from "./Badges";
import { CreateVideos } from "./CreateVideos";
import { EditDetails } from "./EditDetails";
import { Files } from "./Files";
import { Footage } from "./Footage";
import styles from "./Match.module.css";
import { dayOf, namingOf } from "./names";

/** One match: to watch it, to name it, to make videos of it, to download and to remove it. */
export default function Match({ matchId }: { matchId: string }) {
  const matches = useMatches();
  const running = useChannel("status")?.recording.match_id === matchId;
  const [editing, setEditing] = useState(false);
  const entry = matches.data?.[matchId];
  if (matches.isPending) return <Loading />;
  if (!entry) return <NoMatch matchId={matchId} error={matches.error} />;
  const { title, competition, venue, date } = namingOf(matchId, entry.details);
  const about = [date && dayOf(date), competition, venue].filter(Boolean).join(" · ");
  const part = { matchId, entry, running, title };
  return (
    <div className="page">
      <p>
        <BackToAll />
      </p>
      <div className="page-head">
        <div>
          <h1>{title}</h1>
          <p className="muted">{about}</p>
        </div>
        <div className="row">
          <Badges entry={entry} running={running} />
          <Button onClick={() => setEditing(true)}>
            <Pencil size={16} aria-hidden /> {words.library.edit.open}
          </Button>
        </div>
      </div>
      {entry.details?.note && <p className={styles.note}>{entry.details.note}</p>}
      <EditDetails
        matchId={matchId}
        details={detailsOf(matchId, entry.details)}
        open={editing}
        onClose={() => setEditing(false)}
      />
      <MatchPlayer {...part} />
      <div className="columns">
        <Footage {...part} />
        <CreateVideos {...part} />
        <Files {...part} />
      </div>
    </div>
  );
}

function BackToAll() {
  return (
    <Link href="/matches" className={styles.back}>
      <ArrowLeft size={16} aria-hidden /> {words.library.all}
    </Link>
  );
}

function NoMatch({ matchId, error }: { matchId: string; error: Error | null }) {
  const { missing } = words.library;
  if (error) return <ErrorNote error={error} />;
  return (
    <Empty>
      <div className="stack">
        <h1>{missing.title(namingOf(matchId, null).title)}</h1>
        <p>
          {missing.text} <Link href="/matches?view=trash">{missing.trash}</Link>
        </p>
        <p>
          <BackToAll />
        </p>
      </div>
    </Empty>
  );
}

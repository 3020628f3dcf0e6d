import type { UseQueryResult } from "@tanstack/react-query";
import { RotateCcw, Trash2 } from "lucide-react";
import type { Schema } from "../../api/http";
import { bytes, dateTime, duration } from "../../lib/format";
import { words } from "../../messages";
import { Badge, Button, ErrorNote, Loading } from "../../ui/basics";
import { EmptyState } from "../../ui/EmptyState";
import styles from "./Matches.module.css";
import { dayOf, namingOf } from "./names";
import { useEmptyTrash, usePurge, useRestore } from "./useTrash";

type Listing = Schema["TrashListing"];
type TrashedMatch = Schema["TrashedMatch"];

/** The matches in the trash, with what is left of their days. */
export function Trash({ trash }: { trash: UseQueryResult<Listing, Error> }) {
  if (trash.isPending) return <Loading />;
  return (
    <div className="stack">
      <ErrorNote error={trash.error} />
      {trash.data && <Listed listing={trash.data} />}
    </div>
  );
}

function Listed({ listing }: { listing: Listing }) {
  const { days, matches, size_bytes } = listing;
  const text = words.library.trash;
  const emptying = useEmptyTrash();
  const size = bytes(size_bytes);
  if (matches.length === 0) {
    return (
      <EmptyState title={text.empty} icon={<Trash2 size={40} />}>
        {days > 0 && text.about(days)}
      </EmptyState>
    );
  }
  return (
    <>
      <div className="row between">
        <p className="muted">
          {text.about(days)} {text.size(size)}.
        </p>
        <Button
          disabled={emptying.isPending}
          onClick={() => emptying.mutate({ count: matches.length, size })}
        >
          {text.emptyIt}
        </Button>
      </div>
      <ul className="stack">
        {matches.map((match) => (
          <li key={match.id} className="card">
            <Entry match={match} />
          </li>
        ))}
      </ul>
    </>
  );
}

function Entry({ match }: { match: TrashedMatch }) {
  const text = words.library.trash;
  const restore = useRestore();
  const purge = usePurge();
  const busy = restore.isPending || purge.isPending;
  const { title, date, competition } = namingOf(match.match_id, match.details);
  const facts = [
    date ? dayOf(date) : dateTime(match.started_at),
    competition,
    match.duration_s ? duration(match.duration_s) : "",
    bytes(match.size_bytes),
  ];
  return (
    <div className={styles.trashed}>
      <div>
        <h2>{title}</h2>
        <p className="muted small">{facts.filter(Boolean).join(" · ")}</p>
      </div>
      <div className="row">
        <DaysLeft days={match.days_left} />
        <Button
          aria-label={text.restoreOf(title)}
          disabled={busy}
          onClick={() => restore.mutate(match)}
        >
          <RotateCcw size={16} aria-hidden /> {text.restore}
        </Button>
        <Button
          tone="quiet"
          aria-label={text.purgeOf(title)}
          disabled={busy}
          onClick={() => purge.mutate(match)}
        >
          <Trash2 size={16} aria-hidden /> {text.purge}
        </Button>
      </div>
    </div>
  );
}

function DaysLeft({ days }: { days: number | null }) {
  const text = words.library.trash;
  if (days === null) return <Badge>{text.noDate}</Badge>;
  return <Badge tone={days <= 1 ? "warn" : "plain"}>{text.daysLeft(days)}</Badge>;
}

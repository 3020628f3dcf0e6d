import { Link } from "wouter";
import { duration } from "../../lib/format";
import { Badges } from "./Badges";
import { type Row, whenOf } from "./list";
import styles from "./Matches.module.css";
import { Poster } from "./Poster";

/** Matches as cards with their posters. */
export function MatchCards({ rows, running }: { rows: Row[]; running: string | null }) {
  return (
    <ul className={styles.cards}>
      {rows.map((row) => (
        <li key={row.id}>
          <MatchCard row={row} running={row.id === running} />
        </li>
      ))}
    </ul>
  );
}

function MatchCard({ row, running }: { row: Row; running: boolean }) {
  const { id, entry, title, competition } = row;
  const length = entry.duration_s ? duration(entry.duration_s) : undefined;
  return (
    <article className={styles.card}>
      <Poster key={String(running)} matchId={id} length={running ? undefined : length} />
      <div className={styles.about}>
        <h2>
          <Link className={styles.open} href={`/matches/${encodeURIComponent(id)}`}>
            {title}
          </Link>
        </h2>
        <p className="muted small">{[whenOf(row), competition].filter(Boolean).join(" · ")}</p>
        <Badges entry={entry} running={running} />
      </div>
    </article>
  );
}

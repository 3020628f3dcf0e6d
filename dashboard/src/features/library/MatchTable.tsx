import { ChevronDown, ChevronUp } from "lucide-react";
import { Link } from "wouter";
import { duration, mebibytes } from "../../lib/format";
import { words } from "../../messages";
import { TableWrap } from "../../ui/basics";
import { Badges } from "./Badges";
import { type Column, type Order, type Row, whenOf } from "./list";
import styles from "./Matches.module.css";
import { Poster } from "./Poster";

type Sorted = { order: Order; onOrder: (order: Order) => void };

/** Matches as a table that its heads sort. */
export function MatchTable({
  rows,
  running,
  ...sorted
}: { rows: Row[]; running: string | null } & Sorted) {
  const { columns, title } = words.library;
  return (
    <TableWrap label={title}>
      <table>
        <thead>
          <tr>
            <Head column="name" {...sorted} />
            <Head column="date" {...sorted} />
            <Head column="length" {...sorted} />
            <Head column="size" {...sorted} />
            <th>{columns.state}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <MatchLine key={row.id} row={row} running={row.id === running} />
          ))}
        </tbody>
      </table>
    </TableWrap>
  );
}

function Head({ column, order, onOrder }: { column: Column } & Sorted) {
  const falling: Order = `-${column}`;
  const here = order === column || order === falling;
  const Chevron = order === column ? ChevronUp : ChevronDown;
  const first = column === "name" ? column : falling;
  const next = order === first ? (first === column ? falling : column) : first;
  return (
    <th aria-sort={!here ? "none" : order === column ? "ascending" : "descending"}>
      <button type="button" onClick={() => onOrder(next)}>
        {words.library.columns[column]} {here && <Chevron size={14} aria-hidden />}
      </button>
    </th>
  );
}

function MatchLine({ row, running }: { row: Row; running: boolean }) {
  const { id, entry, title, competition } = row;
  return (
    <tr>
      <td>
        <div className={styles.name}>
          <div className={styles.thumb}>
            <Poster key={String(running)} matchId={id} />
          </div>
          <div>
            <Link href={`/matches/${encodeURIComponent(id)}`}>{title}</Link>
            {competition && <div className="muted small">{competition}</div>}
          </div>
        </div>
      </td>
      <td className="number">{whenOf(row)}</td>
      <td className="number">
        {entry.duration_s ? duration(entry.duration_s) : words.format.unknown}
      </td>
      <td className="number">{mebibytes(entry.total_size_mb)}</td>
      <td>
        <Badges entry={entry} running={running} />
      </td>
    </tr>
  );
}

import { ChevronDown, ChevronUp } from "lucide-react";
import { useMemo, useState } from "react";
import { Link } from "wouter";
import { type MatchEntry, useMatches } from "../../api/capture";
import { useChannel } from "../../api/live";
import { dateTime, duration, mebibytes, plural } from "../../lib/format";
import { parseMatchId } from "../../lib/matchName";
import { Badge, Empty, ErrorNote, Field, Loading, TableWrap } from "../../ui/basics";

type Row = { id: string; entry: MatchEntry; title: string; competition: string };
type Order = "date" | "name" | "size" | "length";

const VALUES: Record<Order, (row: Row) => number | string> = {
  date: ({ entry }) => entry.started_at ?? entry.created_at ?? 0,
  name: ({ title }) => title.toLocaleLowerCase(),
  size: ({ entry }) => entry.total_size_mb,
  length: ({ entry }) => entry.duration_s ?? 0,
};

/** The matches that hold every word of a search, in an order. */
export function found(rows: Row[], search: string, order: Order, rising: boolean): Row[] {
  const words = search.toLocaleLowerCase().split(/\s+/).filter(Boolean);
  const value = VALUES[order];
  return rows
    .filter(({ id, title }) => {
      const text = `${id} ${title}`.toLocaleLowerCase();
      return words.every((word) => text.includes(word));
    })
    .sort((a, b) => {
      const [x, y] = [value(a), value(b)];
      const before = x < y ? -1 : x > y ? 1 : a.id < b.id ? -1 : 1;
      return rising ? before : -before;
    });
}

export default function Matches() {
  const matches = useMatches();
  const running = useChannel("status")?.recording.match_id ?? null;
  const [search, setSearch] = useState("");
  const [order, setOrder] = useState<Order>("date");
  const [rising, setRising] = useState(false);
  const rows = useMemo(
    () =>
      Object.entries(matches.data ?? {}).map(([id, entry]) => ({ id, entry, ...parseMatchId(id) })),
    [matches.data],
  );
  const shown = found(rows, search, order, rising);
  const sortBy = (name: Order) => {
    setRising(name === order ? !rising : name === "name");
    setOrder(name);
  };
  const head = (name: Order, text: string) => (
    <th aria-sort={order !== name ? "none" : rising ? "ascending" : "descending"}>
      <button type="button" onClick={() => sortBy(name)}>
        {text}{" "}
        {order === name &&
          (rising ? <ChevronUp size={14} aria-hidden /> : <ChevronDown size={14} aria-hidden />)}
      </button>
    </th>
  );
  return (
    <div className="page">
      <div className="page-head">
        <h1>Matches</h1>
        <span className="muted">{plural(rows.length, "match", "matches")}</span>
      </div>
      <Field
        label="Search"
        type="search"
        placeholder="Team, competition or date"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <ErrorNote error={matches.error} />
      {matches.isPending ? (
        <Loading />
      ) : shown.length === 0 ? (
        <Empty>{rows.length ? "No match has these words." : "Nothing was recorded yet."}</Empty>
      ) : (
        <TableWrap label="Matches">
          <table>
            <thead>
              <tr>
                {head("name", "Match")}
                {head("date", "Date")}
                {head("length", "Length")}
                {head("size", "Size")}
                <th>State</th>
              </tr>
            </thead>
            <tbody>
              {shown.map(({ id, entry, title, competition }) => (
                <tr key={id}>
                  <td>
                    <Link href={`/matches/${encodeURIComponent(id)}`}>{title}</Link>
                    {competition && <div className="muted small">{competition}</div>}
                  </td>
                  <td className="number">{dateTime(entry.started_at ?? entry.created_at)}</td>
                  <td className="number">{entry.duration_s ? duration(entry.duration_s) : "–"}</td>
                  <td className="number">{mebibytes(entry.total_size_mb)}</td>
                  <td>
                    <Badges entry={entry} running={id === running} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableWrap>
      )}
    </div>
  );
}

export function Badges({ entry, running }: { entry: MatchEntry; running: boolean }) {
  const processed = entry.files.some((file) => file.file.endsWith("_archive.mp4"));
  const interrupted = !running && (entry.state === "interrupted" || (entry.interruptions ?? 0) > 0);
  return (
    <span className="row">
      {running && <Badge tone="bad">recording</Badge>}
      {interrupted && <Badge tone="warn">interrupted</Badge>}
      {(entry.gaps ?? 0) > 0 && <Badge tone="warn">{plural(entry.gaps ?? 0, "gap")}</Badge>}
      {entry.verified && <Badge tone="good">verified</Badge>}
      {processed && <Badge tone="info">processed</Badge>}
      {entry.protected && <Badge>protected</Badge>}
    </span>
  );
}

import { Film } from "lucide-react";
import { useMemo } from "react";
import { Link } from "wouter";
import { useMatches } from "../../api/capture";
import { useChannel } from "../../api/live";
import { useHashState } from "../../lib/hashLocation";
import { words } from "../../messages";
import { Button, Choice, ErrorNote, Field, Loading, Tabs } from "../../ui/basics";
import { EmptyState } from "../../ui/EmptyState";
import { Segmented } from "../../ui/Segmented";
import { type Layout, useLayout } from "./layout";
import { FILTERS, type Filter, found, ORDERS, type Order, oneOf, type Row, rowOf } from "./list";
import { MatchCards } from "./MatchCards";
import styles from "./Matches.module.css";
import { MatchTable } from "./MatchTable";
import { Trash } from "./Trash";
import { useTrash } from "./useTrash";

/** All matches, and the trash. */
export default function Matches() {
  const { library } = words;
  const [view, setView] = useHashState("view");
  const matches = useMatches();
  const trash = useTrash();
  const rows = useMemo(
    () => Object.entries(matches.data ?? {}).map(([id, entry]) => rowOf(id, entry)),
    [matches.data],
  );
  return (
    <div className="page">
      <div className="page-head">
        <h1>{library.title}</h1>
        <span className="muted">{library.count(rows.length)}</span>
      </div>
      <Tabs
        label={library.views}
        value={view === "trash" ? "trash" : "matches"}
        onChange={(id) => setView(id === "trash" ? id : null, { push: true })}
        tabs={[
          {
            id: "matches",
            title: library.title,
            content: () => (
              <div className="stack">
                <ErrorNote error={matches.error} />
                {matches.isPending ? <Loading /> : <Recorded rows={rows} />}
              </div>
            ),
          },
          {
            id: "trash",
            title: library.trash.tab(trash.data?.matches.length ?? 0),
            content: () => <Trash trash={trash} />,
          },
        ]}
      />
    </div>
  );
}

/** The matches of the library, as they are searched, filtered and sorted. */
function Recorded({ rows }: { rows: Row[] }) {
  const running = useChannel("status")?.recording.match_id ?? null;
  const [search, setSearch] = useHashState("search");
  const [sort, setSort] = useHashState("sort");
  const [filter, setFilter] = useHashState("filter");
  const [layout, setLayout] = useLayout();
  const order = oneOf(ORDERS, sort);
  const chosen = oneOf(FILTERS, filter);
  const changeOrder = (next: Order) => setSort(next === ORDERS[0] ? null : next);
  const shown = useMemo(
    () => found(rows, search ?? "", order, chosen),
    [rows, search, order, chosen],
  );
  if (rows.length === 0) return <NoMatches />;
  const List = layout === "cards" ? MatchCards : MatchTable;
  return (
    <div className="stack">
      <div className={styles.tools}>
        <Search text={search ?? ""} onChange={setSearch} />
        <Choices filter={chosen} onFilter={setFilter} order={order} onOrder={changeOrder} />
        {setLayout && <LayoutSwitch layout={layout} onChange={setLayout} />}
      </div>
      {shown.length > 0 ? (
        <List rows={shown} running={running} order={order} onOrder={changeOrder} />
      ) : (
        <NoneFound
          onReset={() => {
            setSearch(null);
            setFilter(null);
          }}
        />
      )}
    </div>
  );
}

function Search({ text, onChange }: { text: string; onChange: (text: string | null) => void }) {
  const { search } = words.library;
  return (
    <Field
      label={search.label}
      type="search"
      placeholder={search.placeholder}
      value={text}
      onChange={(event) => onChange(event.target.value || null)}
    />
  );
}

function Choices({
  filter,
  onFilter,
  order,
  onOrder,
}: {
  filter: Filter;
  onFilter: (filter: string | null) => void;
  order: Order;
  onOrder: (order: Order) => void;
}) {
  const { filter: filters, sort } = words.library;
  return (
    <>
      <Choice
        label={filters.label}
        value={filter}
        onChange={({ target }) => onFilter(target.value === "all" ? null : target.value)}
        options={FILTERS.map((each) => [each, filters[each]] as const)}
      />
      <Choice
        label={sort.label}
        value={order}
        onChange={({ target }) => onOrder(oneOf(ORDERS, target.value))}
        options={ORDERS.map((each) => [each, sort[each]] as const)}
      />
    </>
  );
}

function LayoutSwitch({
  layout,
  onChange,
}: {
  layout: Layout;
  onChange: (layout: Layout) => void;
}) {
  const names = words.library.layout;
  return (
    <Segmented
      label={names.label}
      hideLabel
      value={layout}
      onChange={onChange}
      options={[
        ["cards", names.cards],
        ["table", names.table],
      ]}
    />
  );
}

function NoMatches() {
  const { empty } = words.library;
  return (
    <EmptyState
      title={empty.title}
      icon={<Film size={40} />}
      action={
        <Link href="/" className="button primary">
          {empty.link}
        </Link>
      }
    >
      {empty.text}
    </EmptyState>
  );
}

function NoneFound({ onReset }: { onReset: () => void }) {
  const { search } = words.library;
  return (
    <EmptyState title={search.none} action={<Button onClick={onReset}>{search.reset}</Button>} />
  );
}

import { LayoutGrid, Rows3 } from "lucide-react";
import { useState } from "react";
import { useChannel } from "../../api/live";
import { useHashState } from "../../lib/hashLocation";
import { words } from "../../messages";
import { Button, Card, Choice, Loading } from "../../ui/basics";
import { EmptyState } from "../../ui/EmptyState";
import { Segmented } from "../../ui/Segmented";
import { EngineBadges } from "./EngineBadges";
import { EngineFacts } from "./EngineFacts";
import { EngineMenu, Inspection } from "./EngineMenu";
import styles from "./Engines.module.css";
import { EngineTable } from "./EngineTable";
import { nameOf } from "./engineName";
import {
  COLUMNS,
  type Engine,
  FILTERS,
  type Filter,
  firstOrder,
  type Order,
  orderOf,
  orderText,
  sorted,
} from "./list";
import { UsageCurves } from "./UsageCurves";
import type { Usage, Usages } from "./usage";

type View = "cards" | "table";

/** The engines, as cards or as a table, filtered and in an order. */
export function Fleet({ usage, onOpen }: { usage: Usages; onOpen: (id: string) => void }) {
  const engines = useChannel("engines");
  const { view, filter, order, setFilter, setOrder, setView } = useChoices();
  const [inspected, setInspected] = useState<string | null>(null);
  if (!engines) return <Loading />;
  if (engines.length === 0) return <NoEngine />;
  const shown = sorted(engines.filter(FILTERS[filter]), usage, order);
  return (
    <div className="stack">
      <Tools {...{ view, filter, order, setFilter, setOrder, setView }} />
      {shown.length === 0 && (
        <EmptyState
          title={words.engines.fleet.noMatch}
          action={<Button onClick={() => setFilter("all")}>{words.engines.fleet.showAll}</Button>}
        />
      )}
      {view === "table" && shown.length > 0 && (
        <EngineTable
          engines={shown}
          usage={usage}
          order={order}
          onOrder={setOrder}
          onOpen={onOpen}
          onInspect={setInspected}
        />
      )}
      {view === "cards" && (
        <div className="columns">
          {shown.map((engine) => (
            <EngineCard
              key={engine.container_id}
              engine={engine}
              usage={usage[engine.container_id]}
              onOpen={onOpen}
              onInspect={setInspected}
            />
          ))}
        </div>
      )}
      {inspected && <Inspection id={inspected} onClose={() => setInspected(null)} />}
    </div>
  );
}

/** What is shown and how, as the address says it. */
function useChoices() {
  const [view, setView] = useHashState("view");
  const [filter, setFilter] = useHashState("show");
  const [order, setOrder] = useHashState("sort");
  return {
    view: (view === "table" ? "table" : "cards") as View,
    filter: (filter !== null && Object.hasOwn(FILTERS, filter) ? filter : "all") as Filter,
    order: orderOf(order),
    setView: (chosen: View) => setView(chosen === "cards" ? null : chosen),
    setFilter: (chosen: Filter) => setFilter(chosen === "all" ? null : chosen),
    setOrder: (chosen: Order) => setOrder(orderText(chosen)),
  };
}

function Tools({
  view,
  filter,
  order,
  setView,
  setFilter,
  setOrder,
}: ReturnType<typeof useChoices>) {
  const { fleet } = words.engines;
  return (
    <div className={styles.tools}>
      <Segmented
        label={fleet.view}
        hideLabel
        value={view}
        onChange={setView}
        options={[
          [
            "cards",
            <>
              <LayoutGrid size={16} aria-hidden /> {fleet.cards}
            </>,
          ],
          [
            "table",
            <>
              <Rows3 size={16} aria-hidden /> {fleet.table}
            </>,
          ],
        ]}
      />
      <Choice
        label={fleet.filter}
        value={filter}
        onChange={(event) => setFilter(event.target.value as Filter)}
        options={Object.entries(fleet.filters)}
      />
      <Choice
        label={fleet.sort}
        value={order.column}
        onChange={(event) => setOrder(firstOrder(orderOf(event.target.value).column))}
        options={COLUMNS.map((column) => [column, fleet.columns[column]])}
      />
    </div>
  );
}

function NoEngine() {
  const state = useChannel("orchestrator");
  const { fleet } = words.engines;
  if ((state?.engines.running ?? 0) > 0) {
    return <EmptyState title={fleet.none}>{fleet.hidden}</EmptyState>;
  }
  const starting = (state?.engines.starting ?? 0) > 0;
  return (
    <EmptyState title={fleet.none}>{starting ? fleet.noneStarting : fleet.noneBody}</EmptyState>
  );
}

function EngineCard({
  engine,
  usage,
  onOpen,
  onInspect,
}: {
  engine: Engine;
  usage: Usage | undefined;
  onOpen: (id: string) => void;
  onInspect: (id: string) => void;
}) {
  const { menu } = words.engines;
  const name = nameOf(engine);
  return (
    <Card
      title={name}
      tools={
        <>
          <EngineBadges engine={engine} />
          <EngineMenu engine={engine} onOpen={onOpen} onInspect={onInspect} />
        </>
      }
    >
      <UsageCurves id={engine.container_id} name={name} usage={usage} />
      <EngineFacts engine={engine} />
      <div className="row">
        <Button
          size="small"
          aria-label={words.engines.activity.open(name)}
          onClick={() => onOpen(engine.container_id)}
        >
          {menu.activity}
        </Button>
      </div>
    </Card>
  );
}

import { ArrowDown, ArrowUp } from "lucide-react";
import { words } from "../../messages";
import { CardsTable } from "../../ui/CardsTable";
import { EngineBadges } from "./EngineBadges";
import { EngineMenu } from "./EngineMenu";
import styles from "./Engines.module.css";
import { nameOf } from "./engineName";
import { type Column, type Engine, firstOrder, type Order } from "./list";
import { cpuOf, memoryOf, type Usages } from "./usage";

type Handlers = { onOpen: (id: string) => void; onInspect: (id: string) => void };

/** The engines as rows; the head of a column sorts by it. */
export function EngineTable({
  engines,
  usage,
  order,
  onOrder,
  ...handlers
}: {
  engines: readonly Engine[];
  usage: Usages;
  order: Order;
  onOrder: (order: Order) => void;
} & Handlers) {
  const { fleet } = words.engines;
  const head = { order, onOrder };
  return (
    <CardsTable label={fleet.list}>
      <table>
        <thead>
          <tr>
            <Head column="name" {...head} />
            <Head column="health" {...head} />
            <th>{fleet.columns.address}</th>
            <Head column="streams" {...head} />
            <Head column="cpu" {...head} />
            <Head column="memory" {...head} />
            <Head column="vpn" {...head} />
            <th>
              <span className="sr-only">{fleet.actions}</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {engines.map((engine) => (
            <Row key={engine.container_id} engine={engine} usage={usage} {...handlers} />
          ))}
        </tbody>
      </table>
    </CardsTable>
  );
}

function Head({
  column,
  order,
  onOrder,
}: {
  column: Column;
  order: Order;
  onOrder: (order: Order) => void;
}) {
  const here = order.column === column;
  const Icon = order.descending ? ArrowDown : ArrowUp;
  return (
    <th aria-sort={here ? (order.descending ? "descending" : "ascending") : undefined}>
      <button
        type="button"
        className={styles.head}
        onClick={() =>
          onOrder(here ? { column, descending: !order.descending } : firstOrder(column))
        }
      >
        {words.engines.fleet.columns[column]}
        {here && <Icon size={14} aria-hidden />}
      </button>
    </th>
  );
}

function Row({ engine, usage, onOpen, onInspect }: { engine: Engine; usage: Usages } & Handlers) {
  const { columns } = words.engines.fleet;
  const id = engine.container_id;
  return (
    <tr>
      <th scope="row">
        <button type="button" className={styles.name} onClick={() => onOpen(id)}>
          {nameOf(engine)}
        </button>
      </th>
      <td data-label={columns.health}>
        <EngineBadges engine={engine} />
      </td>
      <td className="number" data-label={columns.address}>
        {engine.host}:{engine.port}
      </td>
      <td className="number" data-label={columns.streams}>
        {engine.streams.length}
      </td>
      <td className="number" data-label={columns.cpu}>
        {cpuOf(usage[id])}
      </td>
      <td className="number" data-label={columns.memory}>
        {memoryOf(usage[id])}
      </td>
      <td data-label={columns.vpn}>{engine.vpn_container ?? words.format.unknown}</td>
      <td>
        <EngineMenu engine={engine} onOpen={onOpen} onInspect={onInspect} />
      </td>
    </tr>
  );
}

import { useQuery } from "@tanstack/react-query";
import { LayoutGrid, MoreVertical, Rows3 } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { useEffect, useReducer, useState } from "react";
import { Link } from "wouter";
import { api, ask, type Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { ago, bytes, plural, shortId } from "../../lib/format";
import { streamPath } from "../../lib/hashLocation";
import { Histories } from "../../lib/history";
import {
  Badge,
  Button,
  Card,
  Empty,
  Facts,
  Loading,
  Note,
  Sparkline,
  TableWrap,
  type Tone,
} from "../../ui/basics";
import { Dialog, useAction } from "../../ui/feedback";

export type Engine = Schema["EngineState"];

/** Kept while one looks at other pages: the last minutes of each engine. */
const histories = new Histories(120);

const HEALTH: Record<Engine["health_status"], Tone> = {
  healthy: "good",
  unhealthy: "bad",
  unknown: "plain",
};

/** Why an engine gets no new streams, as its badge says it. */
export const DRAINING: Record<NonNullable<Engine["draining"]>, string> = {
  requested: "draining",
  outdated: "draining: outdated",
  unhealthy: "draining: unhealthy",
  dead_network: "draining: its network is gone",
  vpn_lost: "draining: VPN lost",
  forwarding: "draining: makes room for the forwarded port",
  rebalancing: "draining: moves to the other VPN",
  scale_down: "draining: not needed",
  idle: "draining: idle",
};

/** What was begun with a drain that somebody asked for. */
export function drainBegun(name: string, streams: number): string {
  if (streams === 0) return `${name} is being replaced`;
  const [what, end] = streams === 1 ? ["its stream", "has"] : [`its ${streams} streams`, "have"];
  return `${name} is draining: it is removed when ${what} ${end} ended`;
}

function useUsage() {
  const usage = useChannel("engine_usage");
  const [, drawn] = useReducer((n: number) => n + 1, 0);
  useEffect(() => {
    if (!usage) return;
    const now = Date.now() / 1000;
    for (const [id, each] of Object.entries(usage)) {
      histories.add(now, { [`${id} cpu`]: each.cpu_percent, [`${id} memory`]: each.memory_usage });
    }
    histories.keepOnly((name) => name.slice(0, name.lastIndexOf(" ")) in usage);
    drawn();
  }, [usage]);
  return usage ?? {};
}

export function Fleet() {
  const engines = useChannel("engines");
  const usage = useUsage();
  const [table, setTable] = useState(false);
  const [inspected, setInspected] = useState<string | null>(null);
  if (!engines) return <Loading />;
  if (engines.length === 0)
    return <Empty>There is no engine. Provision one, or scale the fleet.</Empty>;
  return (
    <div className="stack">
      <fieldset className="row plain">
        <legend className="sr-only">How engines are shown</legend>
        <Button size="small" aria-pressed={!table} onClick={() => setTable(false)}>
          <LayoutGrid size={16} aria-hidden /> Cards
        </Button>
        <Button size="small" aria-pressed={table} onClick={() => setTable(true)}>
          <Rows3 size={16} aria-hidden /> Table
        </Button>
      </fieldset>
      {table ? (
        <TableWrap label="Engines">
          <table>
            <thead>
              <tr>
                <th>Engine</th>
                <th>Health</th>
                <th>Address</th>
                <th>Streams</th>
                <th>CPU</th>
                <th>Memory</th>
                <th>VPN</th>
                <th>
                  <span className="sr-only">Actions</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {engines.map((engine) => (
                <tr key={engine.container_id}>
                  <td>{engine.container_name ?? shortId(engine.container_id)}</td>
                  <td>
                    <EngineBadges engine={engine} />
                  </td>
                  <td className="number">
                    {engine.host}:{engine.port}
                  </td>
                  <td className="number">{engine.streams.length}</td>
                  <td className="number">{cpuOf(usage[engine.container_id])}</td>
                  <td className="number">{memoryOf(usage[engine.container_id])}</td>
                  <td>{engine.vpn_container ?? "–"}</td>
                  <td>
                    <EngineMenu engine={engine} onInspect={setInspected} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </TableWrap>
      ) : (
        <div className="columns">
          {engines.map((engine) => (
            <EngineCard
              key={engine.container_id}
              engine={engine}
              usage={usage[engine.container_id]}
              onInspect={setInspected}
            />
          ))}
        </div>
      )}
      {inspected && <Inspection id={inspected} onClose={() => setInspected(null)} />}
    </div>
  );
}

type Usage = Schema["EngineUsage"] | undefined;

/** A dash until the first sample is there. */
export const cpuOf = (usage: Usage) => (usage ? `${usage.cpu_percent.toFixed(1)} %` : "–");
export const memoryOf = (usage: Usage) => (usage ? bytes(usage.memory_usage) : "–");

function EngineBadges({ engine }: { engine: Engine }) {
  return (
    <span className="row">
      <Badge tone={HEALTH[engine.health_status]}>{engine.health_status}</Badge>
      {engine.draining && <Badge tone="warn">{DRAINING[engine.draining]}</Badge>}
      {engine.paused && <Badge tone="warn">frozen</Badge>}
      {engine.external && <Badge tone="info">somebody else's</Badge>}
      {engine.forwarded && <Badge tone="info">forwarded port</Badge>}
    </span>
  );
}

function EngineCard({
  engine,
  usage,
  onInspect,
}: {
  engine: Engine;
  usage: Schema["EngineUsage"] | undefined;
  onInspect: (id: string) => void;
}) {
  const name = engine.container_name ?? shortId(engine.container_id);
  const cpu = cpuOf(usage);
  const memory = memoryOf(usage);
  return (
    <Card
      title={name}
      tools={
        <>
          <EngineBadges engine={engine} />
          <EngineMenu engine={engine} onInspect={onInspect} />
        </>
      }
    >
      <div className="row">
        <div className="grow" style={{ flexBasis: 120 }}>
          <span className="small muted">CPU {cpu}</span>
          <Sparkline
            series={histories.get(`${engine.container_id} cpu`)}
            most={10}
            label={`CPU of ${name}: ${cpu}`}
          />
        </div>
        <div className="grow" style={{ flexBasis: 120 }}>
          <span className="small muted">Memory {memory}</span>
          <Sparkline
            series={histories.get(`${engine.container_id} memory`)}
            label={`Memory of ${name}: ${memory}`}
          />
        </div>
      </div>
      <Facts
        facts={[
          ["Address", `${engine.host}:${engine.port}`],
          ["Variant", engine.engine_variant ?? "–"],
          ["Version", engine.version ?? "–"],
          ["VPN", engine.vpn_container ?? "–"],
          ["Last used", ago(engine.last_stream_usage)],
          ["Cache emptied", ago(engine.last_cache_cleanup)],
        ]}
      />
      {engine.streams.length > 0 && (
        <ul className="row" aria-label={`Streams on ${name}`}>
          {engine.streams.map((id) => (
            <li key={id}>
              <Link href={streamPath(id)}>{id.slice(0, 24)}</Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function EngineMenu({ engine, onInspect }: { engine: Engine; onInspect: (id: string) => void }) {
  const name = engine.container_name ?? shortId(engine.container_id);
  const id = engine.container_id;
  const streams = engine.streams.length;
  const drain = useAction(
    () =>
      ask(api.POST("/engines/{container_id}/drain", { params: { path: { container_id: id } } })),
    {
      asks: () => ({
        title: `Drain ${name}?`,
        body: "It gets no new streams, another takes its place, and it goes when its own have ended.",
        action: "Drain",
        danger: true,
      }),
      done: () => drainBegun(name, streams),
    },
  );
  const remove = useAction(
    () => ask(api.DELETE("/containers/{container_id}", { params: { path: { container_id: id } } })),
    {
      asks: () => ({
        title: `Delete ${name}?`,
        body: streams
          ? `${plural(streams, "stream")} on it ${streams === 1 ? "ends" : "end"} at once. Draining waits for them.`
          : "Its container is stopped and removed.",
        action: "Delete",
        danger: true,
      }),
      done: () => `${name} is deleted`,
    },
  );
  return (
    <DropdownMenu.Root>
      <DropdownMenu.Trigger asChild>
        <Button size="small" icon tone="quiet" aria-label={`Actions for ${name}`}>
          <MoreVertical size={18} aria-hidden />
        </Button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal>
        <DropdownMenu.Content className="menu" align="end">
          <DropdownMenu.Item className="menu-item" onSelect={() => onInspect(id)}>
            Look at its container
          </DropdownMenu.Item>
          {!engine.external && (
            <>
              <DropdownMenu.Item className="menu-item" onSelect={() => drain.mutate(undefined)}>
                Drain
              </DropdownMenu.Item>
              <DropdownMenu.Item
                className="menu-item danger"
                onSelect={() => remove.mutate(undefined)}
              >
                Delete
              </DropdownMenu.Item>
            </>
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

function Inspection({ id, onClose }: { id: string; onClose: () => void }) {
  const container = useQuery({
    queryKey: ["container", id],
    queryFn: () =>
      ask(api.GET("/containers/{container_id}", { params: { path: { container_id: id } } })),
  });
  return (
    <Dialog title={`Container ${shortId(id)}`} open onClose={onClose} wide>
      {container.error ? (
        <Note tone="bad" title={container.error.message} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard
        <pre className="log" tabIndex={0}>
          {container.data ? JSON.stringify(container.data, null, 2) : "…"}
        </pre>
      )}
    </Dialog>
  );
}

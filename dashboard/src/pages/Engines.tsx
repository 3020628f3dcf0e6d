import { useQuery, useQueryClient } from "@tanstack/react-query";
import { LayoutGrid, MoreVertical, Plus, Rows3 } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { type FormEvent, useEffect, useReducer, useState } from "react";
import { Link } from "wouter";
import { api, ask, type Schema } from "../api/http";
import { useChannel } from "../api/live";
import { ago, bytes, plural, shortId, speed } from "../lib/format";
import { Histories } from "../lib/history";
import {
  Badge,
  Button,
  Card,
  Empty,
  Facts,
  Field,
  Loading,
  Note,
  Progress,
  Sparkline,
  Tabs,
  type Tone,
} from "../ui/basics";
import { Dialog, useAction, useFeedback } from "../ui/feedback";
import { VariantEditor } from "./Variant";

type Engine = Schema["EngineState"];

/** Kept while one looks at other pages: the last minutes of each engine. */
const histories = new Histories(120);

const HEALTH: Record<Engine["health_status"], Tone> = {
  healthy: "good",
  unhealthy: "bad",
  unknown: "plain",
};

export default function Engines() {
  const [tab, setTab] = useState("fleet");
  const state = useChannel("orchestrator");
  const reprovision = useChannel("reprovision");
  return (
    <div className="page">
      <div className="page-head">
        <h1>Engines</h1>
        {state && <Badge tone={state.status === "healthy" ? "good" : "warn"}>{state.status}</Badge>}
      </div>
      <FleetState state={state} />
      {reprovision?.in_progress && <Reprovisioning status={reprovision} />}
      <Tabs
        label="Engines"
        value={tab}
        onChange={setTab}
        tabs={[
          { id: "fleet", title: "Fleet", content: () => <Fleet /> },
          { id: "streams", title: "Streams", content: () => <Streams /> },
          { id: "vpn", title: "VPN", content: () => <Vpn /> },
          { id: "variant", title: "Variant", content: () => <VariantEditor /> },
        ]}
      />
    </div>
  );
}

export function Reprovisioning({ status }: { status: Schema["ReprovisionStatus"] }) {
  const total = Math.max(1, status.total_engines);
  return (
    <Note title={status.message} tone={status.status === "error" ? "bad" : "info"}>
      <Progress label="Engines replaced" value={status.engines_stopped / total} />
    </Note>
  );
}

function FleetState({ state }: { state: Schema["OrchestratorStatus"] | undefined }) {
  const { confirm } = useFeedback();
  const [demand, setDemand] = useState("");
  const [provisioning, setProvisioning] = useState(false);
  const collect = useAction(
    async () => {
      const yes = await confirm({
        title: "Remove what is idle?",
        body: "Engines that nobody has used for long, and streams that ended long ago, go. Never fewer stay than the minimum.",
        action: "Collect",
        danger: true,
      });
      return yes ? ask(api.POST("/gc")) : null;
    },
    {
      done: (done) => (done ? `Removed ${plural(done.removed?.length ?? 0, "engine")}` : undefined),
    },
  );
  const scale = useAction(
    async (wanted: number) => {
      const fewer = wanted < (state?.engines.running ?? 0);
      const yes = await confirm({
        title: `Scale to ${plural(wanted, "engine")}?`,
        body: fewer
          ? "Idle engines are removed. One with streams stays until they have ended."
          : "Engines are started until there are so many.",
        action: "Scale",
        danger: fewer,
      });
      if (!yes) return null;
      return ask(api.POST("/scale/{demand}", { params: { path: { demand: wanted } } }));
    },
    { done: (done) => (done ? "The fleet is being scaled" : undefined) },
  );
  if (!state) return <Loading />;
  const { engines, capacity, streams, provisioning: may, runtime } = state;
  return (
    <Card
      tools={
        <>
          <Button tone="primary" onClick={() => setProvisioning(true)}>
            <Plus size={18} aria-hidden /> Provision
          </Button>
          <form
            className="row"
            onSubmit={(event: FormEvent) => {
              event.preventDefault();
              if (demand !== "") scale.mutate(Number(demand));
            }}
          >
            <input
              className="input"
              style={{ width: 90 }}
              type="number"
              min={0}
              max={capacity.max_replicas}
              aria-label="How many engines"
              placeholder={String(engines.running)}
              value={demand}
              onChange={(event) => setDemand(event.target.value)}
            />
            <Button type="submit" disabled={demand === "" || scale.isPending}>
              Scale
            </Button>
          </form>
          <Button onClick={() => collect.mutate(undefined)}>Collect garbage</Button>
        </>
      }
      title="State"
    >
      {runtime && !runtime.reachable && (
        <Note tone="bad" title={`The runtime cannot be reached: ${runtime.reason ?? "no answer"}`}>
          What is shown is what was last known. Nothing is started or removed until it is back.
        </Note>
      )}
      {!may.can_provision && (
        <Note
          tone="warn"
          title={String(may.blocked_reason ?? "Nothing can be started at present")}
        />
      )}
      <Facts
        facts={[
          ["Running", `${engines.running} of at most ${capacity.max_replicas}`],
          ["Healthy", engines.healthy],
          ["Free", capacity.available],
          ["Streams", streams.active],
          ["At least", capacity.min_replicas],
          ["Variant", String(state.config.engine_variant ?? "–")],
        ]}
      />
      <Provision open={provisioning} onClose={() => setProvisioning(false)} />
    </Card>
  );
}

function Provision({ open, onClose }: { open: boolean; onClose: () => void }) {
  const [image, setImage] = useState("");
  const [labels, setLabels] = useState("");
  const [env, setEnv] = useState("");
  const [port, setPort] = useState("");
  const provision = useAction(
    () =>
      ask(
        api.POST("/provision/acestream", {
          body: {
            image: image || null,
            labels: pairs(labels),
            env: pairs(env),
            host_port: port ? Number(port) : null,
          },
        }),
      ),
    {
      done: (made) => {
        onClose();
        return `${made.container_name} answers on port ${made.host_http_port}`;
      },
    },
  );
  return (
    <Dialog
      title="Provision an engine"
      description="Empty fields mean: as the variant says. It answers when the engine does."
      open={open}
      onClose={onClose}
    >
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          provision.mutate(undefined);
        }}
      >
        <Field label="Image" value={image} onChange={(e) => setImage(e.target.value)} />
        <Field
          label="Port of the host"
          type="number"
          min={1}
          max={65535}
          value={port}
          onChange={(e) => setPort(e.target.value)}
        />
        <label className="field">
          <span>Labels, one “name=value” a line</span>
          <textarea
            className="input"
            rows={2}
            value={labels}
            onChange={(e) => setLabels(e.target.value)}
          />
        </label>
        <label className="field">
          <span>Environment, one “NAME=value” a line</span>
          <textarea
            className="input"
            rows={2}
            value={env}
            onChange={(e) => setEnv(e.target.value)}
          />
        </label>
        <div className="dialog-actions">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" tone="primary" disabled={provision.isPending}>
            {provision.isPending ? "Starting…" : "Provision"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

/** `name=value` lines as an object; lines without a name are left out. */
export function pairs(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => {
    const at = line.indexOf("=");
    return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return Object.fromEntries(lines.filter(([name]) => name));
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

function Fleet() {
  const engines = useChannel("engines");
  const usage = useUsage();
  const [table, setTable] = useState(false);
  const [inspected, setInspected] = useState<string | null>(null);
  if (!engines) return <Loading />;
  if (engines.length === 0)
    return <Empty>There is no engine. Provision one, or scale the fleet.</Empty>;
  return (
    <div className="stack">
      <fieldset className="row" style={{ border: 0, margin: 0, padding: 0 }}>
        <legend className="sr-only">How engines are shown</legend>
        <Button size="small" aria-pressed={!table} onClick={() => setTable(false)}>
          <LayoutGrid size={16} aria-hidden /> Cards
        </Button>
        <Button size="small" aria-pressed={table} onClick={() => setTable(true)}>
          <Rows3 size={16} aria-hidden /> Table
        </Button>
      </fieldset>
      {table ? (
        <div className="table-wrap card">
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
                  <td className="number">{usage[engine.container_id]?.cpu_percent.toFixed(1)} %</td>
                  <td className="number">{bytes(usage[engine.container_id]?.memory_usage ?? 0)}</td>
                  <td>{engine.vpn_container ?? "–"}</td>
                  <td>
                    <EngineMenu engine={engine} onInspect={setInspected} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
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

function EngineBadges({ engine }: { engine: Engine }) {
  return (
    <span className="row">
      <Badge tone={HEALTH[engine.health_status]}>{engine.health_status}</Badge>
      {engine.draining && <Badge tone="warn">draining: {engine.draining}</Badge>}
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
  const cpu = usage ? `${usage.cpu_percent.toFixed(1)} %` : "–";
  const memory = usage ? bytes(usage.memory_usage) : "–";
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
              <Link href={`/engines/streams/${encodeURIComponent(id)}`}>{id.slice(0, 24)}</Link>
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

function EngineMenu({ engine, onInspect }: { engine: Engine; onInspect: (id: string) => void }) {
  const { confirm } = useFeedback();
  const name = engine.container_name ?? shortId(engine.container_id);
  const id = engine.container_id;
  const streams = engine.streams.length;
  const drain = useAction(
    async () => {
      const yes = await confirm({
        title: `Drain ${name}?`,
        body: "It gets no new streams, another takes its place, and it goes when its own have ended.",
        action: "Drain",
        danger: true,
      });
      if (!yes) return null;
      return ask(
        api.POST("/engines/{container_id}/drain", { params: { path: { container_id: id } } }),
      );
    },
    { done: (done) => (done ? `${name} is drained` : undefined) },
  );
  const remove = useAction(
    async () => {
      const yes = await confirm({
        title: `Delete ${name}?`,
        body: streams
          ? `${plural(streams, "stream")} on it ${streams === 1 ? "ends" : "end"} at once. Draining waits for them.`
          : "Its container is stopped and removed.",
        action: "Delete",
        danger: true,
      });
      if (!yes) return null;
      return ask(
        api.DELETE("/containers/{container_id}", { params: { path: { container_id: id } } }),
      );
    },
    { done: (done) => (done ? `${name} is deleted` : undefined) },
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

function Streams() {
  const streams = useChannel("streams");
  const engines = useChannel("engines");
  const stop = useStopStream();
  if (!streams) return <Loading />;
  if (streams.length === 0) return <Empty>No stream plays at present.</Empty>;
  const nameOf = (id: string) =>
    engines?.find((engine) => engine.container_id === id)?.container_name ?? shortId(id);
  return (
    <div className="table-wrap card">
      <table>
        <thead>
          <tr>
            <th>Stream</th>
            <th>Engine</th>
            <th>Since</th>
            <th>Peers</th>
            <th>Down</th>
            <th>Up</th>
            <th>
              <span className="sr-only">Actions</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {streams.map((stream) => (
            <tr key={stream.id}>
              <td>
                <Link href={`/engines/streams/${encodeURIComponent(stream.id)}`}>{stream.id}</Link>
              </td>
              <td>{nameOf(stream.container_id)}</td>
              <td>{ago(stream.started_at)}</td>
              <td className="number">{stream.peers ?? "–"}</td>
              <td className="number">{speed(stream.speed_down)}</td>
              <td className="number">{speed(stream.speed_up)}</td>
              <td>
                <Button size="small" onClick={() => stop.mutate(stream.id)}>
                  Stop
                </Button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function useStopStream() {
  const { confirm } = useFeedback();
  const queries = useQueryClient();
  return useAction(
    async (id: string) => {
      const yes = await confirm({
        title: `Stop stream ${id}?`,
        body: "Its engine is told to stop it; whoever watches it sees it end.",
        action: "Stop",
        danger: true,
      });
      if (!yes) return null;
      return ask(api.DELETE("/streams/{stream_id}", { params: { path: { stream_id: id } } }));
    },
    {
      done: (done) => (done ? "The stream was stopped" : undefined),
      after: () => void queries.invalidateQueries({ queryKey: ["stream"] }),
    },
  );
}

export function Vpn() {
  const vpn = useChannel("vpn");
  if (!vpn) return <Loading />;
  if (!vpn.enabled) {
    return <Empty>No VPN is configured. Engines use the network of this machine.</Empty>;
  }
  const each = [vpn.vpn1, vpn.vpn2].filter((one) => one !== null);
  const shown = each.length ? each : [vpn as Record<string, unknown>];
  const emergency = vpn.emergency_mode as { active?: boolean; failed_vpn?: string };
  return (
    <div className="stack">
      {emergency.active && (
        <Note tone="bad" title={`${emergency.failed_vpn ?? "A VPN"} is lost`}>
          Its engines are replaced behind the other one, as far as there is room.
        </Note>
      )}
      <div className="columns">
        {shown.map((one) => (
          <Card
            key={String(one.container_name)}
            title={String(one.container_name ?? "VPN")}
            tools={
              <Badge tone={one.connected ? "good" : "bad"}>
                {one.connected ? "connected" : String(one.health)}
              </Badge>
            }
          >
            <Facts
              facts={[
                ["Container", String(one.status)],
                ["Health", String(one.health)],
                ["Forwarded port", String(one.forwarded_port ?? "–")],
                ["Looked at", ago(one.last_check as string | null)],
                ["Public address", String(one.public_ip ?? "–")],
                ["Location", [one.city, one.country].filter(Boolean).join(", ") || "–"],
                ["Provider", String(one.provider ?? "–")],
              ]}
            />
          </Card>
        ))}
      </div>
    </div>
  );
}

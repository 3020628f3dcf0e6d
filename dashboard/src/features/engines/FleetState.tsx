import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { api, ask, type Schema } from "../../api/http";
import { plural } from "../../lib/format";
import { Button, Card, Facts, Field, Loading, Note } from "../../ui/basics";
import { Dialog, useAction } from "../../ui/feedback";

export function FleetState({ state }: { state: Schema["OrchestratorStatus"] | undefined }) {
  const [provisioning, setProvisioning] = useState(false);
  const collect = useAction(() => ask(api.POST("/gc")), {
    asks: () => ({
      title: "Remove what is idle?",
      body: "Engines that nobody has used for long, and streams that ended long ago, go. Never fewer stay than the minimum.",
      action: "Collect",
      danger: true,
    }),
    done: (done) => `Removed ${plural(done.removed?.length ?? 0, "engine")}`,
  });
  if (!state) return <Loading />;
  const { engines, capacity, streams, provisioning: may, runtime } = state;
  return (
    <Card
      tools={
        <>
          <Button tone="primary" onClick={() => setProvisioning(true)}>
            <Plus size={18} aria-hidden /> Provision
          </Button>
          <ScaleForm running={engines.running ?? 0} most={capacity.max_replicas} />
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

function ScaleForm({ running, most }: { running: number; most: number | undefined }) {
  const [demand, setDemand] = useState("");
  const scale = useAction(
    (wanted: number) => ask(api.POST("/scale/{demand}", { params: { path: { demand: wanted } } })),
    {
      asks: (wanted) => ({
        title: `Scale to ${plural(wanted, "engine")}?`,
        body:
          wanted < running
            ? "Idle engines are removed. One with streams stays until they have ended."
            : "Engines are started until there are so many.",
        action: "Scale",
        danger: wanted < running,
      }),
      done: () => "The fleet is being scaled",
    },
  );
  return (
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
        max={most}
        aria-label="How many engines"
        placeholder={String(running)}
        value={demand}
        onChange={(event) => setDemand(event.target.value)}
      />
      <Button type="submit" disabled={demand === "" || scale.isPending}>
        Scale
      </Button>
    </form>
  );
}

export function Provision({ open, onClose }: { open: boolean; onClose: () => void }) {
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

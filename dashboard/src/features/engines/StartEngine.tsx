import { useState } from "react";
import { api, ask, ServerError } from "../../api/http";
import { errorText } from "../../lib/errorWords";
import { words } from "../../messages";
import { Button, Field, Note } from "../../ui/basics";
import { Dialog, DialogActions, useAction } from "../../ui/feedback";

const MOST_PORT = 65535;
const EMPTY = { image: "", port: "", labels: "", env: "" };
type Order = typeof EMPTY;

/** Starts an engine with an image, a port, labels or an environment of its own. */
export function StartEngine({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { start } = words.engines;
  const { order, change, fault, close, provision } = useOrder(onClose);
  const [place, told] = faultOf(fault);
  return (
    <Dialog title={start.title} description={start.body} open={open} onClose={close}>
      <form
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          provision.mutate(undefined);
        }}
      >
        <Field
          label={start.image}
          value={order.image}
          error={place === "image" && told}
          onChange={(event) => change({ image: event.target.value })}
        />
        <Field
          label={start.port}
          hint={start.range(1, MOST_PORT)}
          type="number"
          min={1}
          max={MOST_PORT}
          value={order.port}
          error={place === "port" && told}
          onChange={(event) => change({ port: event.target.value })}
        />
        <Lines label={start.labels} text={order.labels} onChange={(labels) => change({ labels })} />
        <Lines label={start.env} text={order.env} onChange={(env) => change({ env })} />
        {place === "order" && <Note tone="bad" alert title={told} />}
        <DialogActions>
          <Button onClick={close}>{start.cancel}</Button>
          <Button type="submit" tone="primary" disabled={provision.isPending}>
            {provision.isPending ? start.starting : start.submit}
          </Button>
        </DialogActions>
      </form>
    </Dialog>
  );
}

/** What is ordered, and what went wrong with it until something of it is changed. */
function useOrder(onClose: () => void) {
  const { start } = words.engines;
  const [order, setOrder] = useState(EMPTY);
  const [fault, setFault] = useState<Error | null>(null);
  const close = () => {
    setFault(null);
    onClose();
  };
  const provision = useAction(
    () => {
      setFault(null);
      return ask(api.POST("/provision/acestream", { body: bodyOf(order) }));
    },
    {
      done: (made) => {
        setOrder(EMPTY);
        close();
        return start.ready(made.container_name, made.host_http_port);
      },
      failed: setFault,
    },
  );
  const change = (part: Partial<Order>) => {
    setFault(null);
    setOrder({ ...order, ...part });
  };
  return { order, change, fault, close, provision };
}

function Lines({
  label,
  text,
  onChange,
}: {
  label: string;
  text: string;
  onChange: (text: string) => void;
}) {
  return (
    <label className="field">
      <span>{label}</span>
      <textarea
        className="input"
        rows={2}
        value={text}
        onChange={(event) => onChange(event.target.value)}
      />
    </label>
  );
}

const PLACES: Record<string, "image" | "port"> = { image_not_found: "image", port_in_use: "port" };

/** Where on the form an error belongs, and its words. */
function faultOf(error: Error | null): ["image" | "port" | "order" | null, string] {
  if (error === null) return [null, ""];
  const code = error instanceof ServerError ? (error.code ?? "") : "";
  const { faults } = words.engines.start;
  return [PLACES[code] ?? "order", faults[code] ?? errorText(error)];
}

function bodyOf({ image, port, labels, env }: Order) {
  return {
    image: image || null,
    labels: pairs(labels),
    env: pairs(env),
    host_port: port ? Number(port) : null,
  };
}

/** `name=value` lines as an object; lines without a name are left out. */
export function pairs(text: string): Record<string, string> {
  const lines = text.split("\n").map((line) => {
    const at = line.indexOf("=");
    return at < 0 ? [line.trim(), ""] : [line.slice(0, at).trim(), line.slice(at + 1).trim()];
  });
  return Object.fromEntries(lines.filter(([name]) => name));
}

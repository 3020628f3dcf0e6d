import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, type Schema } from "../../../api/http";
import { errorText } from "../../../lib/errorWords";
import { words } from "../../../messages";
import { Badge, Button, Card, Field } from "../../../ui/basics";
import { useAction } from "../../../ui/feedback";
import type { Config } from "./Parameters";
import styles from "./Variant.module.css";

type Slot = Schema["TemplateSlot"];

const MOST_NAME = 100;

/** Configurations that were kept under a name. */
export function Templates({
  config,
  unsaved,
  after,
}: {
  config: Config;
  unsaved: boolean;
  after: () => void;
}) {
  const { templates } = words.engines.variant;
  const list = useQuery({
    queryKey: ["variant", "templates"],
    queryFn: () => ask(api.GET("/custom-variant/templates")),
  });
  const [name, setName] = useState("");
  const [fault, setFault] = useState<Error | null>(null);
  const slots = list.data?.templates ?? [];
  const free = slots.find((slot) => !slot.exists);
  const isFull = list.data !== undefined && free === undefined;
  const afterNamed = () => {
    setName("");
    after();
  };
  const store = useAction(
    (slot: number) =>
      ask(
        api.POST("/custom-variant/templates/{slot_id}", {
          params: { path: { slot_id: slot } },
          body: { name: name || templates.unnamed(slot), config },
        }),
      ),
    {
      done: () => {
        afterNamed();
        return undefined;
      },
      failed: setFault,
    },
  );
  return (
    <Card title={templates.title}>
      <form
        className={styles.templates}
        onSubmit={(event) => {
          event.preventDefault();
          setFault(null);
          if (free) store.mutate(free.slot_id);
        }}
      >
        <Field
          label={templates.name}
          placeholder={templates.namePlaceholder}
          maxLength={MOST_NAME}
          value={name}
          hint={isFull && templates.full}
          error={fault && errorText(fault)}
          onChange={(event) => {
            setFault(null);
            setName(event.target.value);
          }}
        />
        <Button type="submit" disabled={!free || store.isPending}>
          {templates.keep}
        </Button>
        <Import free={free} after={after} onFailed={setFault} />
      </form>
      <Kept
        slots={slots.filter((slot) => slot.exists)}
        inUse={list.data?.active_template_id ?? null}
        {...{ unsaved, name, after, afterNamed }}
      />
    </Card>
  );
}

function Kept({
  slots,
  inUse,
  name,
  afterNamed,
  ...rest
}: {
  slots: Slot[];
  inUse: number | null;
  unsaved: boolean;
  name: string;
  after: () => void;
  afterNamed: () => void;
}) {
  const { templates } = words.engines.variant;
  if (slots.length === 0) return <p className="muted">{templates.none}</p>;
  return (
    <ul className="stack">
      {slots.map((slot) => (
        <Template
          key={slot.slot_id}
          template={slot}
          inUse={slot.slot_id === inUse}
          newName={name}
          afterRenamed={afterNamed}
          {...rest}
        />
      ))}
    </ul>
  );
}

/** Brings a template from a file into a free slot. */
function Import({
  free,
  after,
  onFailed,
}: {
  free: Slot | undefined;
  after: () => void;
  onFailed: (error: Error | null) => void;
}) {
  const { templates } = words.engines.variant;
  const bring = useAction(
    async (file: File) => {
      if (!free) throw new Error(templates.full);
      return ask(
        api.POST("/custom-variant/templates/{slot_id}/import", {
          params: { path: { slot_id: free.slot_id } },
          body: { json_data: await file.text() },
        }),
      );
    },
    { after, failed: onFailed },
  );
  return (
    <label className="button">
      {templates.import}
      <input
        type="file"
        accept="application/json,.json"
        className="sr-only"
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          onFailed(null);
          if (file) bring.mutate(file);
          currentTarget.value = "";
        }}
      />
    </label>
  );
}

/** A template that is kept, and what can be done with it. */
function Template({
  template,
  inUse,
  unsaved,
  newName,
  after,
  afterRenamed,
}: {
  template: Slot;
  inUse: boolean;
  unsaved: boolean;
  newName: string;
  after: () => void;
  afterRenamed: () => void;
}) {
  const { templates, saveFirst } = words.engines.variant;
  const { slot_id: slot, name } = template;
  const { use, rename, remove } = useOrders(template, newName, after, afterRenamed);
  return (
    <li className="row between">
      <span>
        {name} {inUse && <Badge tone="good">{templates.inUse}</Badge>}
      </span>
      <span className="row">
        <Button
          size="small"
          aria-label={templates.useNamed(name)}
          disabled={unsaved}
          title={unsaved ? saveFirst : undefined}
          onClick={() => use.mutate(undefined)}
        >
          {templates.use}
        </Button>
        <Button
          size="small"
          aria-label={templates.renameNamed(name)}
          disabled={!newName}
          title={newName ? undefined : templates.renameHint}
          onClick={() => rename.mutate(undefined)}
        >
          {templates.rename}
        </Button>
        <a
          className="button small"
          aria-label={templates.exportNamed(name)}
          href={`/custom-variant/templates/${slot}/export`}
          download
        >
          {templates.export}
        </a>
        <Button
          size="small"
          aria-label={templates.removeNamed(name)}
          onClick={() => remove.mutate(undefined)}
        >
          {templates.remove}
        </Button>
      </span>
    </li>
  );
}

/** Using, renaming and deleting; that it is done is said by the list. */
function useOrders(
  { slot_id, name }: Slot,
  newName: string,
  after: () => void,
  afterRenamed: () => void,
) {
  const { templates } = words.engines.variant;
  const params = { path: { slot_id } };
  const use = useAction(
    () => ask(api.POST("/custom-variant/templates/{slot_id}/activate", { params })),
    { after },
  );
  const rename = useAction(
    () =>
      ask(
        api.PATCH("/custom-variant/templates/{slot_id}/rename", {
          params,
          body: { name: newName },
        }),
      ),
    { after: afterRenamed },
  );
  const remove = useAction(
    () => ask(api.DELETE("/custom-variant/templates/{slot_id}", { params })),
    {
      asks: () => ({
        title: templates.removeQuestion(name),
        action: templates.remove,
        danger: true,
      }),
      after,
    },
  );
  return { use, rename, remove };
}

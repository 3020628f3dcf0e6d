import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, type Schema } from "../../../api/http";
import { Badge, Button, Card } from "../../../ui/basics";
import { useAction } from "../../../ui/feedback";
import type { Config } from "./Parameters";

type Slot = Schema["TemplateSlot"];

export function Templates({
  config,
  unsaved,
  after,
}: {
  config: Config;
  unsaved: boolean;
  after: () => void;
}) {
  const list = useQuery({
    queryKey: ["variant", "templates"],
    queryFn: () => ask(api.GET("/custom-variant/templates")),
  });
  const [name, setName] = useState("");
  const slots = list.data?.templates ?? [];
  const free = slots.find((slot) => !slot.exists);
  const afterNamed = () => {
    setName("");
    after();
  };
  const store = useAction(
    (slot: number) =>
      ask(
        api.POST("/custom-variant/templates/{slot_id}", {
          params: { path: { slot_id: slot } },
          body: { name: name || `Template ${slot}`, config },
        }),
      ),
    {
      done: ({ message }) => message,
      after: afterNamed,
    },
  );
  return (
    <Card title="Templates">
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault();
          if (free) store.mutate(free.slot_id);
        }}
      >
        <input
          className="input"
          style={{ width: 240 }}
          aria-label="Name of the template"
          placeholder="Name"
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
        <Button type="submit" disabled={!free || store.isPending}>
          Keep these parameters as a template
        </Button>
        <Import free={free} after={after} />
      </form>
      <ul className="stack">
        {slots
          .filter((slot) => slot.exists)
          .map((slot) => (
            <Template
              key={slot.slot_id}
              template={slot}
              inUse={slot.slot_id === list.data?.active_template_id}
              unsaved={unsaved}
              newName={name}
              after={after}
              afterRenamed={afterNamed}
            />
          ))}
      </ul>
    </Card>
  );
}

/** Brings a template from a file into a free slot. */
function Import({ free, after }: { free: Slot | undefined; after: () => void }) {
  const bring = useAction(
    async (file: File) => {
      if (!free) throw new Error("All slots are taken; delete a template first");
      return ask(
        api.POST("/custom-variant/templates/{slot_id}/import", {
          params: { path: { slot_id: free.slot_id } },
          body: { json_data: await file.text() },
        }),
      );
    },
    { done: ({ message }) => message, after },
  );
  return (
    <label className="button">
      Import
      <input
        type="file"
        accept="application/json,.json"
        className="sr-only"
        onChange={({ currentTarget }) => {
          const [file] = currentTarget.files ?? [];
          if (file) bring.mutate(file);
          currentTarget.value = "";
        }}
      />
    </label>
  );
}

/** A template that is kept, and what can be done with it. */
function Template({
  template: { slot_id: slot, name: title },
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
  const use = useAction(
    () =>
      ask(
        api.POST("/custom-variant/templates/{slot_id}/activate", {
          params: { path: { slot_id: slot } },
        }),
      ),
    { done: ({ message }) => message, after },
  );
  const rename = useAction(
    () =>
      ask(
        api.PATCH("/custom-variant/templates/{slot_id}/rename", {
          params: { path: { slot_id: slot } },
          body: { name: newName },
        }),
      ),
    {
      done: ({ message }) => message,
      after: afterRenamed,
    },
  );
  const remove = useAction(
    () =>
      ask(
        api.DELETE("/custom-variant/templates/{slot_id}", { params: { path: { slot_id: slot } } }),
      ),
    {
      asks: () => ({
        title: `Delete the template “${title}”?`,
        action: "Delete",
        danger: true,
      }),
      done: ({ message }) => message,
      after,
    },
  );
  return (
    <li className="row between">
      <span>
        {title} {inUse && <Badge tone="good">in use</Badge>}
      </span>
      <span className="row">
        <Button
          size="small"
          disabled={unsaved}
          title={unsaved ? "Save or take back what was changed first" : undefined}
          onClick={() => use.mutate(undefined)}
        >
          Use
        </Button>
        <Button
          size="small"
          disabled={!newName}
          title={newName ? undefined : "Write the new name above first"}
          onClick={() => rename.mutate(undefined)}
        >
          Rename
        </Button>
        <a className="button small" href={`/custom-variant/templates/${slot}/export`} download>
          Export
        </a>
        <Button size="small" onClick={() => remove.mutate(undefined)}>
          Delete
        </Button>
      </span>
    </li>
  );
}

import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/http";
import { Badge, Button, Card } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import type { Config } from "./Parameters";

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
      after: () => {
        setName("");
        after();
      },
    },
  );
  const use = useAction(
    (slot: number) =>
      ask(
        api.POST("/custom-variant/templates/{slot_id}/activate", {
          params: { path: { slot_id: slot } },
        }),
      ),
    { done: ({ message }) => message, after },
  );
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
  const rename = useAction(
    (slot: number) =>
      ask(
        api.PATCH("/custom-variant/templates/{slot_id}/rename", {
          params: { path: { slot_id: slot } },
          body: { name },
        }),
      ),
    {
      done: ({ message }) => message,
      after: () => {
        setName("");
        after();
      },
    },
  );
  const remove = useAction(
    ({ slot }: { slot: number; title: string }) =>
      ask(
        api.DELETE("/custom-variant/templates/{slot_id}", { params: { path: { slot_id: slot } } }),
      ),
    {
      asks: ({ title }) => ({
        title: `Delete the template “${title}”?`,
        action: "Delete",
        danger: true,
      }),
      done: ({ message }) => message,
      after,
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
      </form>
      <ul className="stack">
        {slots
          .filter((slot) => slot.exists)
          .map(({ slot_id: slot, name: title }) => (
            <li key={slot} className="row between">
              <span>
                {title}{" "}
                {slot === list.data?.active_template_id && <Badge tone="good">in use</Badge>}
              </span>
              <span className="row">
                <Button
                  size="small"
                  disabled={unsaved}
                  title={unsaved ? "Save or take back what was changed first" : undefined}
                  onClick={() => use.mutate(slot)}
                >
                  Use
                </Button>
                <Button
                  size="small"
                  disabled={!name}
                  title={name ? undefined : "Write the new name above first"}
                  onClick={() => rename.mutate(slot)}
                >
                  Rename
                </Button>
                <a
                  className="button small"
                  href={`/custom-variant/templates/${slot}/export`}
                  download
                >
                  Export
                </a>
                <Button size="small" onClick={() => remove.mutate({ slot, title })}>
                  Delete
                </Button>
              </span>
            </li>
          ))}
      </ul>
    </Card>
  );
}

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, ask, type Schema } from "../api/http";
import { useChannel } from "../api/live";
import { Badge, Button, Card, Choice, ErrorNote, Field, Loading, Note, Switch } from "../ui/basics";
import { useAction, useFeedback } from "../ui/feedback";
import { Reprovisioning } from "./Engines";

type Config = Schema["VariantConfig"];
type Parameter = Schema["VariantParameter"];
type Entry = Schema["CatalogueEntry"];

/** The parameters of engines: what each is for, what it may be, and templates of all of them. */
export function VariantEditor() {
  const queries = useQueryClient();
  const { confirm } = useFeedback();
  const saved = useQuery({
    queryKey: ["variant", "config"],
    queryFn: () => ask(api.GET("/custom-variant/config")),
  });
  const catalogue = useQuery({
    queryKey: ["variant", "catalogue"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => ask(api.GET("/custom-variant/parameters")),
  });
  const platform = useQuery({
    queryKey: ["variant", "platform"],
    staleTime: Number.POSITIVE_INFINITY,
    queryFn: () => ask(api.GET("/custom-variant/platform")),
  });
  const reprovision = useChannel("reprovision");
  const [draft, setDraft] = useState<Config | null>(null);
  const [search, setSearch] = useState("");
  useEffect(() => setDraft(saved.data ?? null), [saved.data]);
  const after = () => void queries.invalidateQueries({ queryKey: ["variant"] });
  const save = useAction(
    (config: Config) => ask(api.POST("/custom-variant/config", { body: config })),
    { done: ({ message }) => message, after },
  );
  const renew = useAction(
    async () => {
      const yes = await confirm({
        title: "Make all engines anew?",
        body: "Each is replaced by one with this configuration: the new one is ready before the old one goes, and one with streams goes when they have ended.",
        action: "Reprovision",
        danger: true,
      });
      return yes ? ask(api.POST("/custom-variant/reprovision")) : null;
    },
    { done: (done) => done?.message },
  );
  const failed = saved.error ?? catalogue.error;
  if (failed) return <ErrorNote error={failed} />;
  if (!draft || !catalogue.data) return <Loading />;
  const change = (parameter: Parameter) =>
    setDraft({
      ...draft,
      parameters: (draft.parameters ?? []).map((each) =>
        each.name === parameter.name ? parameter : each,
      ),
    });
  const changed = JSON.stringify(draft) !== JSON.stringify(saved.data);
  const groups = grouped(draft.parameters ?? [], catalogue.data, search);
  return (
    <div className="stack">
      <Card
        title="Custom variant"
        tools={
          <>
            {changed && <Badge tone="warn">not saved</Badge>}
            <Button disabled={!changed} onClick={() => setDraft(saved.data ?? null)}>
              Take back
            </Button>
            <Button
              tone="primary"
              disabled={!changed || save.isPending}
              onClick={() => save.mutate(draft)}
            >
              Save
            </Button>
            <Button
              disabled={reprovision?.in_progress === true || changed}
              title={changed ? "Save first" : undefined}
              onClick={() => renew.mutate(undefined)}
            >
              Reprovision
            </Button>
          </>
        }
      >
        {reprovision && reprovision.status !== "idle" && !reprovision.in_progress && (
          <Reprovisioning status={reprovision} />
        )}
        <Switch
          label="Engines are made with these parameters"
          checked={draft.enabled}
          onChange={(enabled) => setDraft({ ...draft, enabled })}
        />
        <div className="fields">
          <Choice
            label="Platform"
            value={draft.platform}
            onChange={(event) => setDraft({ ...draft, platform: event.target.value })}
            options={(platform.data?.supported_platforms ?? [draft.platform]).map((name) => [
              name,
              name === platform.data?.platform ? `${name} (this machine)` : name,
            ])}
          />
          {draft.platform !== "amd64" && (
            <Choice
              label="AceStream for ARM"
              value={draft.arm_version}
              onChange={(event) => setDraft({ ...draft, arm_version: event.target.value })}
              options={[
                ["3.2.13", "3.2.13"],
                ["3.2.14", "3.2.14"],
              ]}
            />
          )}
          <Field
            label="Memory limit"
            placeholder="none; such as 512m"
            value={draft.memory_limit ?? ""}
            onChange={(event) => setDraft({ ...draft, memory_limit: event.target.value || null })}
          />
        </div>
        {!draft.enabled && (
          <Note title="Not in use">
            Engines are made as the configured variant says, until this is switched on and saved.
          </Note>
        )}
      </Card>
      <Templates unsaved={changed} config={draft} after={after} />
      <Field
        label="Find a parameter"
        type="search"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <OwnParameter
        names={(draft.parameters ?? []).map(({ name }) => name)}
        onAdd={(parameter) =>
          setDraft({ ...draft, parameters: [...(draft.parameters ?? []), parameter] })
        }
      />
      {groups.map(([group, entries]) => (
        <Card key={group} title={group}>
          <ul className="stack">
            {entries.map(([parameter, entry]) => (
              <li key={parameter.name}>
                <ParameterRow parameter={parameter} entry={entry} onChange={change} />
              </li>
            ))}
          </ul>
        </Card>
      ))}
    </div>
  );
}

/** Parameters with what the catalogue says of them, by group, as far as a search finds them. */
export function grouped(
  parameters: Parameter[],
  catalogue: Entry[],
  search: string,
): [string, [Parameter, Entry | undefined][]][] {
  const entries = new Map(catalogue.map((entry) => [entry.name, entry]));
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map<string, [Parameter, Entry | undefined][]>();
  for (const parameter of parameters) {
    const entry = entries.get(parameter.name);
    const text = `${parameter.name} ${entry?.help ?? ""}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    const group = entry?.group ?? "other";
    groups.set(group, [...(groups.get(group) ?? []), [parameter, entry]]);
  }
  return [...groups];
}

function ParameterRow({
  parameter,
  entry,
  onChange,
}: {
  parameter: Parameter;
  entry: Entry | undefined;
  onChange: (parameter: Parameter) => void;
}) {
  const { name, type, value, enabled } = parameter;
  const label = `Value of ${name}`;
  const set = (next: Parameter["value"]) => onChange({ ...parameter, value: next });
  const number = type === "int" || type === "bytes";
  return (
    <div className="row between" style={{ alignItems: "start" }}>
      <div className="grow" style={{ flexBasis: 320 }}>
        <Switch
          label={name}
          checked={enabled}
          onChange={(on) =>
            onChange({ ...parameter, enabled: on, value: type === "flag" ? on : value })
          }
        />
        <p className="muted small">
          {entry?.help} {entry?.unit && `In ${entry.unit}.`}
        </p>
      </div>
      {type !== "flag" &&
        (entry?.choices.length ? (
          <select
            className="input"
            style={{ width: 220 }}
            aria-label={label}
            value={String(value ?? "")}
            disabled={!enabled}
            onChange={(event) => set(number ? Number(event.target.value) : event.target.value)}
          >
            {entry.choices.map((choice) => (
              <option key={choice}>{choice}</option>
            ))}
          </select>
        ) : (
          <input
            className="input"
            style={{ width: 220 }}
            aria-label={label}
            type={number ? "number" : entry?.secret ? "password" : "text"}
            autoComplete="off"
            min={entry?.minimum ?? undefined}
            max={entry?.maximum ?? undefined}
            value={String(value ?? "")}
            disabled={!enabled}
            onChange={(event) => set(number ? Number(event.target.value) : event.target.value)}
          />
        ))}
    </div>
  );
}

/** A parameter that the catalogue does not know, for a newer engine. */
function OwnParameter({
  names,
  onAdd,
}: {
  names: string[];
  onAdd: (parameter: Parameter) => void;
}) {
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const taken = names.includes(name);
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        const type = value === "" ? "flag" : "string";
        onAdd({ name, type, value: value || true, enabled: true, custom: true });
        setName("");
        setValue("");
      }}
    >
      <input
        className="input"
        style={{ width: 240 }}
        aria-label="Name of a parameter of your own"
        placeholder="--parameter"
        pattern="--.+"
        maxLength={256}
        value={name}
        onChange={(event) => setName(event.target.value)}
      />
      <input
        className="input"
        style={{ width: 220 }}
        aria-label="Its value"
        placeholder="Value; empty for a flag"
        value={value}
        onChange={(event) => setValue(event.target.value)}
      />
      <Button type="submit" disabled={!name || taken}>
        {taken ? "It is there already" : "Add a parameter of your own"}
      </Button>
    </form>
  );
}

function Templates({
  config,
  unsaved,
  after,
}: {
  config: Config;
  unsaved: boolean;
  after: () => void;
}) {
  const { confirm } = useFeedback();
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
    async ({ slot, title }: { slot: number; title: string }) => {
      const yes = await confirm({
        title: `Delete the template “${title}”?`,
        action: "Delete",
        danger: true,
      });
      if (!yes) return null;
      return ask(
        api.DELETE("/custom-variant/templates/{slot_id}", { params: { path: { slot_id: slot } } }),
      );
    },
    { done: (done) => done?.message, after },
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

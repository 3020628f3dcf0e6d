import { useState } from "react";
import type { Schema } from "../../../api/http";
import { Button, Switch } from "../../../ui/basics";

export type Config = Schema["VariantConfig"];
export type Parameter = Schema["VariantParameter"];
export type Entry = Schema["CatalogueEntry"];

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

export function ParameterRow({
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
export function OwnParameter({
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

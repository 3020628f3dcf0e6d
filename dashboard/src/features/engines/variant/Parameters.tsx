import { useState } from "react";
import type { Schema } from "../../../api/http";
import { words } from "../../../messages";
import { Button, Field, Switch } from "../../../ui/basics";
import { NumberValue } from "./NumberValue";
import styles from "./Variant.module.css";

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
  const terms = search.toLowerCase().split(/\s+/).filter(Boolean);
  const groups = new Map<string, [Parameter, Entry | undefined][]>();
  for (const parameter of parameters) {
    const entry = entries.get(parameter.name);
    const help = `${entry?.help ?? ""} ${words.engines.variant.help[parameter.name] ?? ""}`;
    const text = `${parameter.name} ${help}`.toLowerCase();
    if (!terms.every((term) => text.includes(term))) continue;
    const group = entry?.group ?? "";
    groups.set(group, [...(groups.get(group) ?? []), [parameter, entry]]);
  }
  return [...groups];
}

/** The name of a group of parameters; those that the catalogue does not know have none. */
export function groupTitle(group: string): string {
  const { groups, otherGroup } = words.engines.variant;
  return group === "" ? otherGroup : (groups[group] ?? group);
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
  const { variant } = words.engines;
  const { name, type, value, enabled } = parameter;
  return (
    <div className={styles.parameter}>
      <div>
        <Switch
          label={name}
          checked={enabled}
          onChange={(on) =>
            onChange({ ...parameter, enabled: on, value: type === "flag" ? on : value })
          }
        />
        <p className="muted small">
          {variant.help[name] ?? entry?.help}{" "}
          {entry?.unit && variant.unit(variant.units[entry.unit] ?? entry.unit)}
        </p>
      </div>
      {type !== "flag" && (
        <Value
          parameter={parameter}
          entry={entry}
          onChange={(next) => onChange({ ...parameter, value: next })}
        />
      )}
    </div>
  );
}

function Value({
  parameter: { name, type, value, enabled },
  entry,
  onChange,
}: {
  parameter: Parameter;
  entry: Entry | undefined;
  onChange: (value: Parameter["value"]) => void;
}) {
  const label = words.engines.variant.value(name);
  const isNumber = type === "int" || type === "bytes";
  if (entry?.choices.length) {
    return (
      <select
        className={`input ${styles.value}`}
        aria-label={label}
        value={String(value ?? "")}
        disabled={!enabled}
        onChange={({ target }) => onChange(isNumber ? Number(target.value) : target.value)}
      >
        {entry.choices.map((choice) => (
          <option key={choice}>{choice}</option>
        ))}
      </select>
    );
  }
  if (isNumber) {
    return (
      <NumberValue
        label={label}
        value={Number(value ?? 0)}
        entry={entry}
        disabled={!enabled}
        onChange={onChange}
      />
    );
  }
  return (
    <input
      className={`input ${styles.value}`}
      aria-label={label}
      type={entry?.secret ? "password" : "text"}
      autoComplete="off"
      value={String(value ?? "")}
      disabled={!enabled}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}

const PARAMETER_NAME = /^--?[A-Za-z0-9][A-Za-z0-9-]{0,63}$/;

/** A parameter that the catalogue does not know, for a newer engine. */
export function OwnParameter({
  names,
  onAdd,
}: {
  names: string[];
  onAdd: (parameter: Parameter) => void;
}) {
  const { own } = words.engines.variant;
  const [name, setName] = useState("");
  const [value, setValue] = useState("");
  const [fault, setFault] = useState<string | null>(null);
  const add = () => {
    if (names.includes(name)) return setFault(own.taken);
    if (!PARAMETER_NAME.test(name)) return setFault(own.invalid);
    const type = value === "" ? "flag" : "string";
    onAdd({ name, type, value: value || true, enabled: true, custom: true });
    setName("");
    setValue("");
  };
  return (
    <form
      className={styles.own}
      onSubmit={(event) => {
        event.preventDefault();
        add();
      }}
    >
      <Field
        label={own.name}
        placeholder="--parameter"
        maxLength={64}
        value={name}
        error={fault}
        onChange={(event) => {
          setFault(null);
          setName(event.target.value);
        }}
      />
      <Field
        label={own.value}
        placeholder={own.placeholder}
        value={value}
        onChange={(event) => setValue(event.target.value)}
      />
      <Button type="submit" disabled={!name}>
        {own.add}
      </Button>
    </form>
  );
}

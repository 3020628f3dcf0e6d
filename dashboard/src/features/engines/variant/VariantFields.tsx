import { useState } from "react";
import type { Schema } from "../../../api/http";
import { words } from "../../../messages";
import { Choice, Field, Note, Switch } from "../../../ui/basics";
import type { Config } from "./Parameters";

/** Whether the configuration is in use, and what it says beside parameters. */
export function VariantFields({
  config,
  platforms,
  onChange,
}: {
  config: Config;
  platforms: Schema["PlatformInfo"] | undefined;
  onChange: (config: Config) => void;
}) {
  const { variant } = words.engines;
  return (
    <>
      <Switch
        label={variant.inUse}
        checked={config.enabled}
        onChange={(enabled) => onChange({ ...config, enabled })}
      />
      <div className="fields">
        <Choice
          label={variant.platform}
          value={config.platform}
          onChange={(event) => onChange({ ...config, platform: event.target.value })}
          options={(platforms?.supported_platforms ?? [config.platform]).map((name) => [
            name,
            name === platforms?.platform ? variant.thisMachine(name) : name,
          ])}
        />
        {config.platform !== "amd64" && (
          <Choice
            label={variant.arm}
            value={config.arm_version}
            onChange={(event) => onChange({ ...config, arm_version: event.target.value })}
            options={[
              ["3.2.13", "3.2.13"],
              ["3.2.14", "3.2.14"],
            ]}
          />
        )}
        <MemoryLimit
          limit={config.memory_limit ?? null}
          onChange={(memory_limit) => onChange({ ...config, memory_limit })}
        />
      </div>
      {!config.enabled && <Note title={variant.notInUse}>{variant.notInUseBody}</Note>}
    </>
  );
}

/** The memory limit. One that engines cannot have is told, and the old one is there again. */
function MemoryLimit({
  limit,
  onChange,
}: {
  limit: string | null;
  onChange: (limit: string | null) => void;
}) {
  const { variant } = words.engines;
  const [typed, setTyped] = useState<string | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  return (
    <Field
      label={variant.memory}
      hint={variant.memoryHint}
      error={fault}
      value={typed ?? limit ?? ""}
      onChange={({ target }) => {
        setFault(null);
        setTyped(target.value);
        if (isMemoryLimit(target.value)) onChange(target.value.trim() || null);
      }}
      onBlur={() => {
        if (typed !== null && !isMemoryLimit(typed)) setFault(variant.memoryFault);
        setTyped(null);
      }}
    />
  );
}

const UNITS: Record<string, number> = { b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
const [LEAST, MOST] = [32 * 2 ** 20, 128 * 2 ** 30];

/** Whether the server takes this as a limit: nothing, 0, or 32m to 128g. */
export function isMemoryLimit(text: string): boolean {
  const found = /^(\d{1,15})([bkmg]?)$/.exec(text.trim().toLowerCase());
  if (!found) return text.trim() === "";
  const size = Number(found[1]) * (UNITS[found[2] || "b"] ?? 1);
  return size === 0 || (size >= LEAST && size <= MOST);
}

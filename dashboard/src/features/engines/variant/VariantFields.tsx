import type { Schema } from "../../../api/http";
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
  return (
    <>
      <Switch
        label="Engines are made with these parameters"
        checked={config.enabled}
        onChange={(enabled) => onChange({ ...config, enabled })}
      />
      <div className="fields">
        <Choice
          label="Platform"
          value={config.platform}
          onChange={(event) => onChange({ ...config, platform: event.target.value })}
          options={(platforms?.supported_platforms ?? [config.platform]).map((name) => [
            name,
            name === platforms?.platform ? `${name} (this machine)` : name,
          ])}
        />
        {config.platform !== "amd64" && (
          <Choice
            label="AceStream for ARM"
            value={config.arm_version}
            onChange={(event) => onChange({ ...config, arm_version: event.target.value })}
            options={[
              ["3.2.13", "3.2.13"],
              ["3.2.14", "3.2.14"],
            ]}
          />
        )}
        <Field
          label="Memory limit"
          placeholder="none; such as 512m"
          value={config.memory_limit ?? ""}
          onChange={(event) => onChange({ ...config, memory_limit: event.target.value || null })}
        />
      </div>
      {!config.enabled && (
        <Note title="Not in use">
          Engines are made as the configured variant says, until this is switched on and saved.
        </Note>
      )}
    </>
  );
}

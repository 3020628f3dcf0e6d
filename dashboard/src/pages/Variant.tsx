import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, ask } from "../api/http";
import { useChannel } from "../api/live";
import { Badge, Button, Card, Choice, ErrorNote, Field, Loading, Note, Switch } from "../ui/basics";
import { useAction } from "../ui/feedback";
import { Reprovisioning } from "./engines/Reprovisioning";
import {
  type Config,
  grouped,
  OwnParameter,
  type Parameter,
  ParameterRow,
} from "./variant/Parameters";
import { Templates } from "./variant/Templates";

/** The parameters of engines: what each is for, what it may be, and templates of all of them. */
export function VariantEditor() {
  const queries = useQueryClient();
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
  const renew = useAction(() => ask(api.POST("/custom-variant/reprovision")), {
    asks: () => ({
      title: "Make all engines anew?",
      body: "Each is replaced by one with this configuration: the new one is ready before the old one goes, and one with streams goes when they have ended.",
      action: "Reprovision",
      danger: true,
    }),
    done: ({ message }) => message,
  });
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
              disabled={changed || renew.isPending}
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

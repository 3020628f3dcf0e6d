import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import { errorWords } from "../../lib/errorWords";
import { words } from "../../messages";
import { Card, Details, ErrorNote, Field, Loading, Note } from "../../ui/basics";
import { EmptyState } from "../../ui/EmptyState";
import { Reprovisioning } from "./Reprovisioning";
import { Commands } from "./variant/Commands";
import {
  type Config,
  type Entry,
  grouped,
  groupTitle,
  OwnParameter,
  type Parameter,
  ParameterRow,
} from "./variant/Parameters";
import { Templates } from "./variant/Templates";
import { useLeaveGuard } from "./variant/unsaved";
import { useDraft } from "./variant/useDraft";
import { VariantFields } from "./variant/VariantFields";

/** The parameters of engines: what each is for, what it may be, and templates of all of them. */
export function VariantEditor() {
  const { variant } = words.engines;
  const queries = useQueryClient();
  const { saved, catalogue, platform } = useVariant();
  const { draft, changed, restored, overtaken, change, discard } = useDraft(
    saved.data,
    catalogue.data,
  );
  const reprovision = useChannel("reprovision");
  const [fault, setFault] = useState<Error | null>(null);
  useLeaveGuard(changed);
  const failed = saved.error ?? catalogue.error;
  if (failed) return <ErrorNote error={failed} />;
  if (!draft || !catalogue.data) return <Loading />;
  const after = () => void queries.invalidateQueries({ queryKey: ["variant"] });
  const edit = (config: Config) => {
    setFault(null);
    change(config);
  };
  const commands = (
    <Commands
      draft={draft}
      changed={changed}
      onDiscard={() => {
        setFault(null);
        discard();
      }}
      onSaved={(config) => {
        queries.setQueryData(["variant", "config"], config);
        discard();
      }}
      onFailed={setFault}
    />
  );
  return (
    <div className="stack">
      <Card title={variant.title} tools={commands}>
        {fault && <SaveFault error={fault} />}
        {overtaken ? (
          <Note tone="warn" title={variant.overtaken} />
        ) : (
          restored && <Note title={variant.restored} />
        )}
        {reprovision && reprovision.status !== "idle" && !reprovision.in_progress && (
          <Reprovisioning status={reprovision} />
        )}
        <VariantFields config={draft} platforms={platform.data} onChange={edit} />
      </Card>
      <Templates unsaved={changed} config={draft} after={after} />
      <Parameters config={draft} catalogue={catalogue.data} onChange={edit} />
    </div>
  );
}

/** Why the configuration was refused; what was typed stays. */
function SaveFault({ error }: { error: Error }) {
  const { what, todo, details } = errorWords(error);
  return (
    <Note tone="bad" alert title={words.engines.variant.saveFailed}>
      {todo ? `${what} ${todo}` : what}
      <Details lines={details ? [details] : []} />
    </Note>
  );
}

function Parameters({
  config,
  catalogue,
  onChange,
}: {
  config: Config;
  catalogue: Entry[];
  onChange: (config: Config) => void;
}) {
  const { variant } = words.engines;
  const [search, setSearch] = useState("");
  const parameters = config.parameters ?? [];
  const change = (parameter: Parameter) =>
    onChange({
      ...config,
      parameters: parameters.map((each) => (each.name === parameter.name ? parameter : each)),
    });
  const groups = grouped(parameters, catalogue, search);
  return (
    <>
      <Field
        label={variant.find}
        type="search"
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      <OwnParameter
        names={parameters.map(({ name }) => name)}
        onAdd={(parameter) => onChange({ ...config, parameters: [...parameters, parameter] })}
      />
      {groups.length === 0 && <EmptyState title={variant.noneFound} />}
      {groups.map(([group, entries]) => (
        <Card key={group} title={groupTitle(group)}>
          <ul className="stack">
            {entries.map(([parameter, entry]) => (
              <li key={parameter.name}>
                <ParameterRow parameter={parameter} entry={entry} onChange={change} />
              </li>
            ))}
          </ul>
        </Card>
      ))}
    </>
  );
}

function useVariant() {
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
  return { saved, catalogue, platform };
}

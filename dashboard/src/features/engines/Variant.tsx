import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import { Card, ErrorNote, Field, Loading } from "../../ui/basics";
import { Reprovisioning } from "./Reprovisioning";
import { Commands } from "./variant/Commands";
import {
  type Config,
  grouped,
  OwnParameter,
  type Parameter,
  ParameterRow,
} from "./variant/Parameters";
import { Templates } from "./variant/Templates";
import { VariantFields } from "./variant/VariantFields";

/** The parameters of engines: what each is for, what it may be, and templates of all of them. */
export function VariantEditor() {
  const queries = useQueryClient();
  const { saved, catalogue, platform } = useVariant();
  const reprovision = useChannel("reprovision");
  const [draft, setDraft] = useState<Config | null>(null);
  const [search, setSearch] = useState("");
  useEffect(() => setDraft(saved.data ?? null), [saved.data]);
  const after = () => void queries.invalidateQueries({ queryKey: ["variant"] });
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
          <Commands
            draft={draft}
            changed={changed}
            onTakeBack={() => setDraft(saved.data ?? null)}
            after={after}
          />
        }
      >
        {reprovision && reprovision.status !== "idle" && !reprovision.in_progress && (
          <Reprovisioning status={reprovision} />
        )}
        <VariantFields config={draft} platforms={platform.data} onChange={setDraft} />
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

import { useChannel } from "../../../api/live";
import { shortId } from "../../../lib/format";
import { useHashState } from "../../../lib/hashLocation";
import { words } from "../../../messages";
import { Button, Card, Choice, ErrorNote, Loading } from "../../../ui/basics";
import { EmptyState } from "../../../ui/EmptyState";
import { engineNames } from "../engineName";
import { ActivityList } from "./ActivityList";
import { type Entry, entries, namesIn } from "./entries";
import { useActivity } from "./useActivity";

type Filter = keyof typeof words.engines.activity.kinds;

const FILTERS: Record<Filter, (entry: Entry) => boolean> = {
  all: () => true,
  engines: ({ kind }) => kind === "engines",
  streams: ({ kind }) => kind === "streams",
  vpn: ({ kind }) => kind === "vpn",
  problems: ({ tone }) => tone === "bad" || tone === "warn",
};

/** What happened to the whole fleet, or to the engine that is chosen. */
export function Activity({ onOpen }: { onOpen: (engine: string) => void }) {
  const { activity } = words.engines;
  const [engine, setEngine] = useHashState("engine");
  const [chosen, setKind] = useHashState("kind");
  const kind = chosen !== null && Object.hasOwn(FILTERS, chosen) ? (chosen as Filter) : "all";
  const running = engineNames(useChannel("engines") ?? []);
  const happened = useActivity(engine);
  const names = new Map([...namesIn(happened.events), ...running]);
  const list = entries(happened.events, running).filter(FILTERS[kind]);
  return (
    <div className="stack">
      <div className="fields">
        <Choice
          label={activity.engine}
          value={engine ?? ""}
          onChange={(event) => setEngine(event.target.value || null)}
          options={[["", activity.allEngines], ...options(names, engine)]}
        />
        <Choice
          label={activity.kind}
          value={kind}
          onChange={(event) => setKind(event.target.value === "all" ? null : event.target.value)}
          options={Object.entries(activity.kinds)}
        />
      </div>
      <ErrorNote error={happened.error} />
      {happened.isPending && list.length === 0 ? (
        <Loading />
      ) : list.length === 0 ? (
        <Nothing filtered={engine !== null || kind !== "all"} />
      ) : (
        <Card title={activity.list}>
          <ActivityList list={list} label={activity.list} onOpen={onOpen} />
        </Card>
      )}
      {happened.mayHaveEarlier && (
        <Button disabled={happened.isLoadingEarlier} onClick={happened.showEarlier}>
          {happened.isLoadingEarlier ? activity.loading : activity.earlier}
        </Button>
      )}
    </div>
  );
}

function Nothing({ filtered }: { filtered: boolean }) {
  const { activity } = words.engines;
  return filtered ? (
    <EmptyState title={activity.noMatch} />
  ) : (
    <EmptyState title={activity.none}>{activity.noneBody}</EmptyState>
  );
}

/** The engines to choose from, by name; the chosen one also where nothing names it. */
function options(names: ReadonlyMap<string, string>, chosen: string | null): [string, string][] {
  const all = new Map(names);
  if (chosen !== null && !all.has(chosen)) all.set(chosen, shortId(chosen));
  return [...all].sort(([, a], [, b]) => a.localeCompare(b, undefined, { numeric: true }));
}

import { Link } from "wouter";
import { useChannel } from "../../api/live";
import { shortId } from "../../lib/format";
import { words } from "../../messages";
import { ErrorNote, Loading } from "../../ui/basics";
import { EmptyState } from "../../ui/EmptyState";
import { Sheet } from "../../ui/Sheet";
import { ActivityList } from "./activity/ActivityList";
import { entries, namesIn } from "./activity/entries";
import { useActivity } from "./activity/useActivity";
import { EngineBadges } from "./EngineBadges";
import { EngineFacts } from "./EngineFacts";
import { engineNames } from "./engineName";
import { UsageCurves } from "./UsageCurves";
import type { Usage } from "./usage";

/** One engine: how it is, and what happened to it. It is known also when it no longer runs. */
export function EngineSheet({
  id,
  usage,
  onClose,
}: {
  id: string;
  usage: Usage | undefined;
  onClose: () => void;
}) {
  const { sheet } = words.engines;
  const engines = useChannel("engines");
  const running = engineNames(engines ?? []);
  const happened = useActivity(id);
  const list = entries(happened.events, running);
  const engine = engines?.find(({ container_id }) => container_id === id);
  const name = running.get(id) ?? namesIn(happened.events).get(id) ?? shortId(id);
  return (
    <Sheet title={name} open onClose={onClose}>
      {engine ? (
        <>
          <EngineBadges engine={engine} />
          <UsageCurves id={id} name={name} usage={usage} />
          <EngineFacts engine={engine} />
        </>
      ) : (
        engines && <p className="muted">{sheet.gone}</p>
      )}
      <h3>{sheet.happened}</h3>
      <ErrorNote error={happened.error} />
      {list.length > 0 ? (
        <ActivityList list={list} label={sheet.happened} />
      ) : happened.isPending ? (
        <Loading />
      ) : (
        <EmptyState title={sheet.nothing} />
      )}
      <Link href={`/engines?tab=activity&engine=${encodeURIComponent(id)}`}>{sheet.more}</Link>
    </Sheet>
  );
}

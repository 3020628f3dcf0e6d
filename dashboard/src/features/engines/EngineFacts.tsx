import { Link } from "wouter";
import { ago } from "../../lib/format";
import { streamPath } from "../../lib/hashLocation";
import { words } from "../../messages";
import { Facts } from "../../ui/basics";
import { nameOf } from "./engineName";
import type { Engine } from "./list";
import { useTitle } from "./titles";

/** Of so many streams of an engine it is asked for titles; the others have their ids. */
const MOST_TITLES = 4;

/** Where an engine is, what it is and what it plays. */
export function EngineFacts({ engine }: { engine: Engine }) {
  const { fleet } = words.engines;
  const { unknown } = words.format;
  return (
    <>
      <Facts
        facts={[
          [fleet.columns.address, `${engine.host}:${engine.port}`],
          [fleet.variant, engine.engine_variant ?? unknown],
          [fleet.version, engine.version ?? unknown],
          [fleet.columns.vpn, engine.vpn_container ?? unknown],
          [fleet.lastUsed, ago(engine.last_stream_usage)],
          [fleet.cacheEmptied, ago(engine.last_cache_cleanup)],
        ]}
      />
      {engine.streams.length > 0 && (
        <ul className="row" aria-label={fleet.streamsOn(nameOf(engine))}>
          {engine.streams.map((id, n) => (
            <li key={id}>
              <StreamLink id={id} asks={n < MOST_TITLES} />
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

function StreamLink({ id, asks }: { id: string; asks: boolean }) {
  const title = useTitle(id, asks);
  return <Link href={streamPath(id)}>{title ?? id.slice(0, 24)}</Link>;
}

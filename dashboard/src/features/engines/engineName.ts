import type { Schema } from "../../api/http";
import { shortId } from "../../lib/format";

type Named = Pick<Schema["EngineState"], "container_id" | "container_name">;

/** What an engine is called. */
export const nameOf = ({ container_id, container_name }: Named) =>
  container_name ?? shortId(container_id);

/** The names of engines by their ids. */
export const engineNames = (engines: readonly Named[]): Map<string, string> =>
  new Map(engines.map((engine) => [engine.container_id, nameOf(engine)]));

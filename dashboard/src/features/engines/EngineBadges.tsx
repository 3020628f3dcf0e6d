import { words } from "../../messages";
import { Badge, type Tone } from "../../ui/basics";
import type { Engine } from "./list";

const HEALTH: Record<Engine["health_status"], Tone> = {
  healthy: "good",
  unhealthy: "bad",
  unknown: "plain",
};

/** Why an engine gets no new streams, as its badge says it. */
export function drainingText(reason: string): string {
  const { draining, drainingFor } = words.engines;
  return Object.hasOwn(draining, reason) ? (draining[reason] ?? reason) : drainingFor(reason);
}

/** How an engine is. One that drains is listed as unknown, whatever its health is. */
export function EngineBadges({ engine }: { engine: Engine }) {
  const { health, paused, external, forwarded } = words.engines;
  const { health_status: status, draining } = engine;
  const shown = !engine.paused && !(status === "unknown" && draining !== null);
  return (
    <span className="row">
      {shown && <Badge tone={HEALTH[status]}>{health[status]}</Badge>}
      {draining !== null && <Badge tone="warn">{drainingText(draining)}</Badge>}
      {engine.paused && <Badge tone="warn">{paused}</Badge>}
      {engine.external && <Badge tone="info">{external}</Badge>}
      {engine.forwarded && <Badge tone="info">{forwarded}</Badge>}
    </span>
  );
}

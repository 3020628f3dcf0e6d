import { useState } from "react";
import { Link } from "wouter";
import { api, ask, type Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { words } from "../../messages";
import { Button, Card, Details, Facts, Loading, Note } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import { FleetSize } from "./FleetSize";
import { StartEngine } from "./StartEngine";
import { type StateNote, stateNotes } from "./stateNotes";

type Status = Schema["OrchestratorStatus"];

/** How the fleet is, in sentences and figures, and what can be done with it as a whole. */
export function FleetState({ state }: { state: Status | undefined }) {
  const engines = useChannel("engines") ?? [];
  const [starting, setStarting] = useState(false);
  if (!state) return <Loading />;
  const texts = words.engines.state;
  const { engines: counts, capacity, streams } = state;
  const running = counts.running ?? 0;
  return (
    <Card title={texts.title}>
      {stateNotes(state, engines).map((note) => (
        <FleetNote key={note.key} note={note} />
      ))}
      <Facts
        facts={[
          [texts.running, texts.runningOf(running, capacity.max_replicas ?? running)],
          [texts.healthy, counts.healthy],
          [texts.free, capacity.available],
          [texts.streams, streams.active],
          [texts.minimum, capacity.min_replicas],
          [texts.variant, String(state.config.engine_variant ?? "–")],
        ]}
      />
      <FleetSize capacity={capacity} running={running} />
      <div className="row">
        <Button onClick={() => setStarting(true)}>{words.engines.start.button}</Button>
        <RemoveIdle />
      </div>
      <StartEngine open={starting} onClose={() => setStarting(false)} />
    </Card>
  );
}

function FleetNote({ note }: { note: StateNote }) {
  return (
    <Note tone={note.tone} title={note.title}>
      {note.body}
      <Details lines={note.details ? [note.details] : []} />
      {note.key === "starts" && <StartsPaused />}
    </Note>
  );
}

/** What can be done while starts are on hold. */
function StartsPaused() {
  const { state } = words.engines;
  const reset = useAction(() => ask(api.POST("/health/circuit-breaker/reset")));
  return (
    <div className="row">
      <Button size="small" disabled={reset.isPending} onClick={() => reset.mutate(undefined)}>
        {state.tryNow}
      </Button>
      <Link href="/engines?tab=activity">{state.why}</Link>
    </div>
  );
}

function RemoveIdle() {
  const { idle } = words.engines;
  const collect = useAction(() => ask(api.POST("/gc")), {
    asks: () => ({
      title: idle.question,
      body: idle.body,
      action: idle.button,
      danger: true,
    }),
    done: (done) => idle.removed(done.removed?.length ?? 0),
  });
  return (
    <Button disabled={collect.isPending} onClick={() => collect.mutate(undefined)}>
      {idle.button}
    </Button>
  );
}

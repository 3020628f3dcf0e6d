import { type FormEvent, useEffect, useState } from "react";
import { api, ask } from "../../api/http";
import { errorText } from "../../lib/errorWords";
import { number } from "../../lib/format";
import { words } from "../../messages";
import { Button } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import { Stepper } from "../../ui/Stepper";
import styles from "./Engines.module.css";

/** How many engines there should be. No stream ends for it: engines that play one stay. */
export function FleetSize({
  capacity,
  running,
}: {
  capacity: Record<string, number>;
  running: number;
}) {
  const { size } = words.engines;
  const least = capacity.min_replicas ?? 0;
  const most = capacity.max_replicas ?? running;
  const target = capacity.target ?? running;
  const [draft, setDraft] = useState<number | null>(null);
  /** What the server made of the last wish, until its status says so, too. */
  const [applied, setApplied] = useState<number | null>(null);
  const [fault, setFault] = useState<string | null>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the status has the newest
  useEffect(() => setApplied(null), [target]);
  const scale = useAction(
    (wanted: number) => ask(api.POST("/scale/{demand}", { params: { path: { demand: wanted } } })),
    {
      done: (scaled) => {
        setApplied(scaled.target);
        setDraft(null);
        return undefined;
      },
      failed: (error) => {
        setFault(errorText(error));
        setDraft(null);
      },
    },
  );
  const wanted = applied ?? target;
  const value = draft ?? wanted;
  const staying = Math.max(0, (capacity.used ?? 0) - value);
  const stay = staying > 0 ? size.staying(staying) : null;
  const apply = (event: FormEvent) => {
    event.preventDefault();
    setFault(null);
    scale.mutate(value);
  };
  return (
    <form className={styles.size} onSubmit={apply}>
      <Stepper
        label={size.label}
        value={value}
        min={least}
        max={Math.max(least, most)}
        disabled={scale.isPending}
        hint={stay ?? size.of(value, most)}
        minText={stay && `${words.shell.stepper.minimum(number(least))} · ${stay}`}
        onChange={(count) => {
          setFault(null);
          setDraft(count);
        }}
      />
      <Button type="submit" tone="primary" disabled={value === wanted || scale.isPending}>
        {size.apply}
      </Button>
      {fault && (
        <small className="field-error" role="alert">
          {fault}
        </small>
      )}
    </form>
  );
}

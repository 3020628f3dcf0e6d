import { api, ask } from "../../../api/http";
import { Badge, Button } from "../../../ui/basics";
import { useAction } from "../../../ui/feedback";
import type { Config } from "./Parameters";

/** What can be done with the configuration as a whole. */
export function Commands({
  draft,
  changed,
  onTakeBack,
  after,
}: {
  draft: Config;
  changed: boolean;
  onTakeBack: () => void;
  after: () => void;
}) {
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
  return (
    <>
      {changed && <Badge tone="warn">not saved</Badge>}
      <Button disabled={!changed} onClick={onTakeBack}>
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
  );
}

import { api, ask } from "../../../api/http";
import { words } from "../../../messages";
import { Badge, Button } from "../../../ui/basics";
import { useAction } from "../../../ui/feedback";
import type { Config } from "./Parameters";

/** What can be done with the configuration as a whole. */
export function Commands({
  draft,
  changed,
  onDiscard,
  onSaved,
  onFailed,
}: {
  draft: Config;
  changed: boolean;
  onDiscard: () => void;
  onSaved: (config: Config) => void;
  /** What went wrong with a save, to be told beside it; null when another begins. */
  onFailed: (error: Error | null) => void;
}) {
  const { variant } = words.engines;
  const save = useAction(
    (config: Config) => ask(api.POST("/custom-variant/config", { body: config })),
    {
      done: ({ config }) => {
        onSaved(config);
        return variant.saved;
      },
      failed: onFailed,
    },
  );
  const renew = useAction(() => ask(api.POST("/custom-variant/reprovision")), {
    asks: () => ({
      title: variant.replaceQuestion,
      body: variant.replaceBody,
      action: variant.replaceAction,
      danger: true,
    }),
  });
  return (
    <>
      {changed && <Badge tone="warn">{variant.unsaved}</Badge>}
      <Button disabled={!changed} onClick={onDiscard}>
        {variant.discard}
      </Button>
      <Button
        tone="primary"
        disabled={!changed || save.isPending}
        onClick={() => {
          onFailed(null);
          save.mutate(draft);
        }}
      >
        {save.isPending ? variant.saving : variant.save}
      </Button>
      <Button
        disabled={changed || renew.isPending}
        title={changed ? variant.saveFirst : undefined}
        onClick={() => renew.mutate(undefined)}
      >
        {variant.replace}
      </Button>
    </>
  );
}

import { useQuery } from "@tanstack/react-query";
import { MoreVertical } from "lucide-react";
import { DropdownMenu } from "radix-ui";
import { api, ask } from "../../api/http";
import { shortId } from "../../lib/format";
import { words } from "../../messages";
import { Button, ErrorNote } from "../../ui/basics";
import { Dialog, useAction } from "../../ui/feedback";
import styles from "./EngineMenu.module.css";
import { nameOf } from "./engineName";
import type { Engine } from "./list";

/** What can be done with an engine, and what is known of it. */
export function EngineMenu({
  engine,
  onOpen,
  onInspect,
}: {
  engine: Engine;
  onOpen: (id: string) => void;
  onInspect: (id: string) => void;
}) {
  const { menu } = words.engines;
  const id = engine.container_id;
  const { drain, remove } = useOrders(engine);
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger asChild>
        <Button size="small" icon tone="quiet" aria-label={menu.label(nameOf(engine))}>
          <MoreVertical size={18} aria-hidden />
        </Button>
      </DropdownMenu.Trigger>
      <DropdownMenu.Portal container={document.querySelector("main")}>
        <DropdownMenu.Content className={styles.menu} align="end">
          <DropdownMenu.Item className={styles.item} onSelect={() => onOpen(id)}>
            {menu.activity}
          </DropdownMenu.Item>
          <DropdownMenu.Item className={styles.item} onSelect={() => onInspect(id)}>
            {menu.inspect}
          </DropdownMenu.Item>
          {!engine.external && (
            <>
              <DropdownMenu.Item className={styles.item} onSelect={() => drain.mutate(undefined)}>
                {menu.drain}
              </DropdownMenu.Item>
              <DropdownMenu.Item
                className={`${styles.item} ${styles.danger}`}
                onSelect={() => remove.mutate(undefined)}
              >
                {menu.remove}
              </DropdownMenu.Item>
            </>
          )}
        </DropdownMenu.Content>
      </DropdownMenu.Portal>
    </DropdownMenu.Root>
  );
}

/** Draining and deleting. That it is done is said by the engine's badge and its absence. */
function useOrders(engine: Engine) {
  const { menu } = words.engines;
  const name = nameOf(engine);
  const path = { container_id: engine.container_id };
  const streams = engine.streams.length;
  const drain = useAction(
    () => ask(api.POST("/engines/{container_id}/drain", { params: { path } })),
    {
      asks: () => ({
        title: menu.drainQuestion(name),
        body: menu.drainBody,
        action: menu.drain,
        danger: true,
      }),
    },
  );
  const remove = useAction(
    () => ask(api.DELETE("/containers/{container_id}", { params: { path } })),
    {
      asks: () => ({
        title: menu.removeQuestion(name),
        body: streams ? menu.removeBusy(streams) : menu.removeIdle,
        action: menu.remove,
        danger: true,
      }),
    },
  );
  return { drain, remove };
}

/** A container as its runtime describes it. */
export function Inspection({ id, onClose }: { id: string; onClose: () => void }) {
  const { menu } = words.engines;
  const container = useQuery({
    queryKey: ["container", id],
    queryFn: () =>
      ask(api.GET("/containers/{container_id}", { params: { path: { container_id: id } } })),
  });
  return (
    <Dialog title={menu.container(shortId(id))} open onClose={onClose} wide>
      {container.error ? (
        <ErrorNote error={container.error} />
      ) : (
        // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls by keyboard
        <pre className="log" tabIndex={0}>
          {container.data ? JSON.stringify(container.data, null, 2) : menu.loading}
        </pre>
      )}
    </Dialog>
  );
}

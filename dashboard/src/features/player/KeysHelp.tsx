import type { RefObject } from "react";
import { words } from "../../messages";
import { Switch } from "../../ui/basics";
import { Dialog } from "../../ui/feedback";
import { type Command, KEYS } from "./keys";
import styles from "./Player.module.css";

/** The list of the keys. It opens inside of the player, because only that is on a full screen. */
export function KeysHelp({
  open,
  close,
  enabled,
  setEnabled,
  container,
}: {
  open: boolean;
  close: () => void;
  enabled: boolean;
  setEnabled: (enabled: boolean) => void;
  container: RefObject<HTMLElement | null>;
}) {
  const { keys } = words.player;
  return (
    <Dialog
      title={keys.title}
      open={open}
      onClose={close}
      container={document.fullscreenElement ? container.current : undefined}
    >
      <dl className={styles.keys}>
        {(Object.keys(KEYS) as Command[]).map((command) => (
          <div key={command}>
            <dt>{keyNames(command)}</dt>
            <dd>{keys.does[command]}</dd>
          </div>
        ))}
      </dl>
      <Switch label={keys.enabled} checked={enabled} onChange={setEnabled} />
    </Dialog>
  );
}

function keyNames(command: Command) {
  const { keys } = words.player;
  const names: Record<string, string> = {
    " ": keys.space,
    arrowleft: keys.left,
    arrowright: keys.right,
  };
  return KEYS[command].map((key, n) => (
    <span key={key}>
      {n > 0 && ` ${keys.or} `}
      <kbd className={styles.key}>{names[key] ?? key.toUpperCase()}</kbd>
    </span>
  ));
}

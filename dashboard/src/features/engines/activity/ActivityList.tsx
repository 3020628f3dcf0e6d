import { Fragment } from "react";
import { dateTime, timeOfDay } from "../../../lib/format";
import { Details } from "../../../ui/basics";
import styles from "./Activity.module.css";
import type { Entry } from "./entries";

/** What happened, line by line; `onOpen` is called with the engine whose name is chosen. */
export function ActivityList({
  list,
  label,
  onOpen,
}: {
  list: readonly Entry[];
  label: string;
  onOpen?: (engine: string) => void;
}) {
  return (
    <ul className={styles.list} aria-label={label}>
      {list.map((entry) => (
        <li key={entry.key} className={styles.entry}>
          <span className={`${styles.mark} ${styles[entry.tone]}`} aria-hidden />
          <time className="number small muted" dateTime={entry.at}>
            {when(entry.at)}
          </time>
          <div className={styles.text}>
            <p>{onOpen ? <Linked entry={entry} onOpen={onOpen} /> : entry.text}</p>
            {entry.more.length > 0 && <p className="small muted">{entry.more.join(" · ")}</p>}
            <Details lines={entry.details ? [entry.details] : []} />
          </div>
        </li>
      ))}
    </ul>
  );
}

/** The time of day, with the day where that is another one. */
function when(iso: string): string {
  const at = new Date(iso);
  const today = at.toDateString() === new Date().toDateString();
  return today ? timeOfDay(iso) : dateTime(at.getTime() / 1000);
}

/** The sentence, in which the names of engines open what happened to them. */
function Linked({ entry, onOpen }: { entry: Entry; onOpen: (engine: string) => void }) {
  return split(entry.text, [...entry.engines.keys()]).map((part, n) => {
    const id = entry.engines.get(part);
    return id === undefined ? (
      // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence have their order
      <Fragment key={n}>{part}</Fragment>
    ) : (
      <button
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a sentence have their order
        key={n}
        type="button"
        className={styles.engine}
        onClick={() => onOpen(id)}
      >
        {part}
      </button>
    );
  });
}

/** A text in parts, of which those between others are the names; a longer name is none of them. */
export function split(text: string, names: readonly string[]): string[] {
  if (names.length === 0) return [text];
  const either = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  return text.split(new RegExp(`(?<![\\w-])(${either})(?![\\w-])`)).filter((part) => part !== "");
}

import type { Schema } from "../../api/http";
import { words } from "../../messages";
import { CopyButton } from "../../ui/CopyButton";
import styles from "./Engines.module.css";
import { shortKey } from "./titles";

/** The short key of a stream, with a button that copies all of it. */
export function StreamKey({ stream }: { stream: Schema["StreamState"] }) {
  const { copy, keyTypes } = words.engines.streams;
  return (
    <span className={styles.key}>
      <code title={stream.key}>{shortKey(stream)}</code>
      <CopyButton icon text={stream.key} label={copy(keyTypes[stream.key_type])} />
    </span>
  );
}

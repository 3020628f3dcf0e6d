import { type MarkerKind, markerNames } from "../../api/capture";
import { clock } from "../../lib/format";
import { words } from "../../messages";
import { Button } from "../../ui/basics";
import styles from "./Player.module.css";
import type { Marking } from "./useMarking";

/** Marks the moment that is shown. */
export function MarkerForm({ marking, at }: { marking: Marking; at: number }) {
  const { add, kind, setKind, text, setText } = marking;
  return (
    <form
      className="row"
      onSubmit={(event) => {
        event.preventDefault();
        add.mutate(at);
      }}
    >
      <MarkerFields kind={kind} setKind={setKind} text={text} setText={setText} />
      <Button type="submit" disabled={add.isPending}>
        {words.player.mark(clock(at))}
      </Button>
    </form>
  );
}

/** Of what kind a marker is, and a note. */
export function MarkerFields({
  kind,
  setKind,
  text,
  setText,
}: {
  kind: MarkerKind;
  setKind: (kind: MarkerKind) => void;
  text: string;
  setText: (text: string) => void;
}) {
  const { markers } = words.player;
  return (
    <>
      <select
        className={`input ${styles.narrow}`}
        aria-label={markers.kind}
        value={kind}
        onChange={(event) => setKind(event.target.value as MarkerKind)}
      >
        {markerNames().map(([id, name]) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
      <input
        className={`input ${styles.note}`}
        aria-label={markers.note}
        placeholder={markers.notePlaceholder}
        maxLength={200}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
    </>
  );
}

import { Pencil, Trash2 } from "lucide-react";
import { memo, type RefObject, useEffect, useRef, useState } from "react";
import { markerName } from "../../api/capture";
import { clock } from "../../lib/format";
import { words } from "../../messages";
import { Button } from "../../ui/basics";
import { CopyLink } from "../../ui/CopyLink";
import { ClipButtons } from "./ClipButtons";
import type { Subject } from "./ClipTools";
import { clipName, clipPath, cutAround, pageLink } from "./clips";
import { MarkerFields } from "./MarkerForm";
import styles from "./Player.module.css";
import { type Marker, type Marking, markerLabel } from "./useMarking";

/** Before a marked moment playing begins by so much. */
const BEFORE_S = 3;

type Mode = "shown" | "edited" | "removed";
type Props = {
  marker: Marker;
  actions: Actions;
  subject: Subject;
  lasts: number;
  onSeek: (at: number) => void;
};
type Actions = Pick<Marking, "change" | "remove" | "changing">;

/** A marker: go there, cut a clip with one tap, change or remove it. It is not drawn with the clock. */
export const MarkerRow = memo(function MarkerRow(props: Props) {
  const { marker, actions, subject, lasts, onSeek } = props;
  const [mode, setMode] = useState<Mode>("shown");
  const label = markerLabel(marker);
  const { at } = marker;
  const done = () => setMode("shown");
  const edit = useFocusAfter(mode === "edited");
  if (mode === "edited") return <Editing marker={marker} actions={actions} done={done} />;
  return (
    <li className={styles.marker}>
      <Button
        size="small"
        className="number"
        aria-label={words.player.markers.jump(label)}
        onClick={() => onSeek(Math.max(0, at - BEFORE_S))}
      >
        {clock(at)}
      </Button>
      <span className={styles.name}>
        <strong>{markerName(marker.kind)}</strong> {marker.text}
      </span>
      <span className={styles.actions}>
        <Clip marker={marker} subject={subject} lasts={lasts} />
        <Changes label={label} mode={mode} setMode={setMode} edit={edit} />
      </span>
      {mode === "removed" && <Removing marker={marker} actions={actions} done={done} />}
    </li>
  );
});

/** Gives the focus back to the button from which something was opened in its place. */
function useFocusAfter(open: boolean) {
  const button = useRef<HTMLButtonElement>(null);
  const was = useRef(open);
  useEffect(() => {
    if (was.current && !open) button.current?.focus();
    was.current = open;
  }, [open]);
  return button;
}

function Clip({ marker, subject, lasts }: Pick<Props, "marker" | "subject" | "lasts">) {
  const { clip } = words.player;
  const label = markerLabel(marker);
  const { matchId, camera, title } = subject;
  return (
    <>
      <ClipButtons
        icons
        url={clipPath(matchId, camera, cutAround(marker.at, lasts))}
        name={clipName(title, marker.at)}
        texts={{
          save: clip.save,
          saveLabel: clip.saveOf(label),
          share: clip.share,
          shareLabel: clip.shareOf(label),
        }}
      />
      <CopyLink icon link={pageLink(matchId, marker.at)} label={label} />
    </>
  );
}

function Changes({
  label,
  mode,
  setMode,
  edit,
}: {
  label: string;
  mode: Mode;
  setMode: (mode: Mode) => void;
  edit: RefObject<HTMLButtonElement | null>;
}) {
  const { markers } = words.player;
  return (
    <>
      <Button
        ref={edit}
        size="small"
        icon
        tone="quiet"
        aria-label={markers.edit(label)}
        onClick={() => setMode("edited")}
      >
        <Pencil size={16} aria-hidden />
      </Button>
      <Button
        size="small"
        icon
        tone="quiet"
        aria-label={markers.remove(label)}
        aria-expanded={mode === "removed"}
        onClick={() => setMode(mode === "removed" ? "shown" : "removed")}
      >
        <Trash2 size={16} aria-hidden />
      </Button>
    </>
  );
}

type Change = { marker: Marker; actions: Actions; done: () => void };

/** The question before a marker is removed, in its place: nothing else is seen on a full screen. */
function Removing({ marker, actions, done }: Change) {
  const { markers } = words.player;
  return (
    <div className={`row ${styles.outcome}`}>
      <span>{markers.removeSure(markerLabel(marker))}</span>
      <Button
        size="small"
        tone="danger"
        disabled={actions.changing}
        onClick={({ currentTarget }) => {
          const list = currentTarget.closest("ul");
          actions.remove(marker, { onSuccess: () => list?.focus() });
        }}
      >
        {markers.yes}
      </Button>
      <Button size="small" onClick={done}>
        {markers.no}
      </Button>
    </div>
  );
}

function Editing({ marker, actions, done }: Change) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector("select")?.focus(), []);
  const [kind, setKind] = useState(marker.kind);
  const [text, setText] = useState(marker.text);
  const { markers } = words.player;
  return (
    <li>
      <form
        ref={form}
        className="row"
        aria-label={markers.edit(markerLabel(marker))}
        onSubmit={(event) => {
          event.preventDefault();
          const { marker_id } = marker;
          actions.change({ marker_id, kind, text }, { onSuccess: done });
        }}
      >
        <MarkerFields kind={kind} setKind={setKind} text={text} setText={setText} />
        <Button type="submit" size="small" tone="primary" disabled={actions.changing}>
          {markers.save}
        </Button>
        <Button size="small" onClick={done}>
          {markers.cancel}
        </Button>
      </form>
    </li>
  );
}

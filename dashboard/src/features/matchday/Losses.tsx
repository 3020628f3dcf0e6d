import type { Schema } from "../../api/http";
import { useKeptInTab } from "../../lib/kept";
import { isOpen, keyOf, type Loss, lossInWords } from "../../lib/losses";
import { adviceOnRecovery } from "../../lib/problems";
import { words } from "../../messages";
import { Button, Details, Note } from "../../ui/basics";
import styles from "./matchday.module.css";
import type { Active } from "./State";

const MOST_SHOWN = 3;

/** A line for each loss of this recording. One that is over can be dismissed, for this tab. */
export function Losses({
  recording,
  cameras,
}: {
  recording: Active;
  cameras: Schema["CameraStatus"][];
}) {
  const texts = words.matchday.losses;
  const [dismissed, setDismissed] = useKeptInTab<string[]>(
    `touchline-dismissed ${recording.match_id}`,
    [],
  );
  const losses = recording.losses ?? [];
  const shown = losses.filter((loss) => isOpen(loss) || !dismissed.includes(keyOf(loss))).reverse();
  const open = shown.filter(isOpen);
  const over = shown.filter((loss) => !isOpen(loss));
  const dismiss = (those: Loss[]) => setDismissed([...dismissed, ...those.map(keyOf)]);
  const line = (loss: Loss) => <Over key={keyOf(loss)} loss={loss} onDismiss={dismiss} />;
  const earlier = over.slice(MOST_SHOWN);
  return (
    <>
      {open.map((loss) => (
        <Note key={keyOf(loss)} tone="bad" title={lossInWords(loss)}>
          {whatToDo(loss, losses.filter(isOpen), recording, cameras)}
          <Details lines={[loss.reason]} />
        </Note>
      ))}
      {over.slice(0, MOST_SHOWN).map(line)}
      {earlier.length > 0 && (
        <details className={styles.fold}>
          <summary>{texts.earlier(earlier.length)}</summary>
          {earlier.map(line)}
        </details>
      )}
      {over.length > 1 && <Button onClick={() => dismiss(over)}>{texts.dismissAll}</Button>}
    </>
  );
}

/** What a disk does is told once with what to do about it, not with each camera. */
const OF_THE_DISK: ReadonlySet<Loss["kind"]> = new Set(["disk", "writer"]);

function whatToDo(
  loss: Loss,
  away: Loss[],
  recording: Active,
  cameras: Schema["CameraStatus"][],
): string | null {
  if (OF_THE_DISK.has(loss.kind)) return null;
  const isAway = (key: string) => away.some(({ camera }) => camera === key);
  const others = cameras.filter(({ id }) => !isAway(`camera_${id}`)).length;
  return adviceOnRecovery(recording.camera_recovery[loss.camera], others);
}

function Over({ loss, onDismiss }: { loss: Loss; onDismiss: (losses: Loss[]) => void }) {
  const texts = words.matchday.losses;
  const text = lossInWords(loss);
  return (
    <Note tone="warn">
      <div className={styles.line}>
        <div>
          {text}
          <Details lines={[loss.reason]} />
        </div>
        <Button size="small" aria-label={texts.dismissOf(text)} onClick={() => onDismiss([loss])}>
          {texts.dismiss}
        </Button>
      </div>
    </Note>
  );
}

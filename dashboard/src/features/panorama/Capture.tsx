import { api, ask, ServerError } from "../../api/http";
import { useChannel } from "../../api/live";
import { words } from "../../messages";
import { Button, ErrorNote, Note, Progress } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import pictures from "../../video/Video.module.css";
import styles from "./Panorama.module.css";
import { useSides } from "./sides";
import { type Calibration, PAIRS, type Phase } from "./useCalibration";

/** How many of the pairs are captured, what the cameras see, and what to do when it does not work. */
export function Capture({
  calibration,
  onCancel,
}: {
  calibration: Calibration;
  onCancel: () => void;
}) {
  const recording = useChannel("pipeline_state")?.mode === "recording";
  const { taken, phase, isBusy, error, fewDetails, isStopped } = calibration;
  const text = words.panorama.guide;
  return (
    <>
      <p className={styles.counter} role="status">
        <strong className="number">{text.counter(taken, PAIRS)}</strong>{" "}
        <span className="muted">{explained(phase, isStopped)}</span>
      </p>
      <Progress label={text.progress} value={taken / PAIRS} />
      <Stills taken={taken} />
      {fewDetails && (
        <Note tone="warn" title={text.dull}>
          {text.dullBody}
        </Note>
      )}
      {!isBusy && error && <Failed error={error} isRecording={recording} />}
      {recording && (
        <Note tone="warn" title={text.recording}>
          {text.recordingBody}
        </Note>
      )}
      <div className="row">
        {isBusy ? (
          <Button disabled={phase === "matching"} onClick={calibration.stop}>
            {text.stop}
          </Button>
        ) : (
          <>
            <Button
              tone="primary"
              disabled={recording}
              onClick={() => calibration.capture({ resume: taken > 0 })}
            >
              {text.goOn}
            </Button>
            {taken > 0 && (
              <Button disabled={recording} onClick={() => calibration.capture({ resume: false })}>
                {text.again}
              </Button>
            )}
            <Button
              onClick={() => {
                calibration.forget();
                onCancel();
              }}
            >
              {text.cancel}
            </Button>
          </>
        )}
      </div>
    </>
  );
}

function explained(phase: Phase | null, isStopped: boolean): string {
  const text = words.panorama.guide;
  if (phase === "starting") return text.starting;
  if (phase === "matching") return text.matching;
  if (phase === null) return isStopped ? text.stopped : "";
  return text.keepMoving;
}

/** What both cameras see, taken anew with every pair: live pictures would keep them busy. */
function Stills({ taken }: { taken: number }) {
  const sides = useSides();
  return (
    <div className={pictures.grid}>
      {([0, 1] as const).map((camera) => (
        <div key={camera} className={pictures.frame}>
          <img
            className={pictures.picture}
            src={`/api/v1/cameras/${camera}/snapshot.jpg?pair=${taken}`}
            alt={words.panorama.guide.still(sides[camera])}
          />
        </div>
      ))}
    </div>
  );
}

const WATCHED: readonly (string | null)[] = ["calibration_refused", "cameras_taken"];
const TOO_FEW: readonly (string | null)[] = [
  "too_few_matches",
  "no_agreement",
  "overlap",
  "poor_fit",
];

/** Why it did not work, with the way out: live pictures that are open, or points marked by hand. */
function Failed({ error, isRecording }: { error: Error; isRecording: boolean }) {
  const code = error instanceof ServerError ? error.code : null;
  const text = words.panorama.guide;
  const close = useAction(async () => {
    await ask(api.DELETE("/api/v1/preview"));
    await api.POST("/api/v1/panorama/preview/stop"); // refused where it is not shown
  });
  if (WATCHED.includes(code) && !isRecording) {
    return (
      <Note tone="warn" alert title={text.watched}>
        <p>{text.watchedBody}</p>
        <Button size="small" disabled={close.isPending} onClick={() => close.mutate(undefined)}>
          {text.closeLive}
        </Button>
      </Note>
    );
  }
  return (
    <>
      <ErrorNote error={error} />
      {TOO_FEW.includes(code) && <p>{text.few}</p>}
    </>
  );
}

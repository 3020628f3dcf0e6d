import { type ReactNode, useEffect } from "react";
import { useMatches } from "../../api/capture";
import type { Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { useHashState } from "../../lib/hashLocation";
import { titleOf } from "../../lib/matchName";
import { overlapOf } from "../../lib/quality";
import { words } from "../../messages";
import { Button, Card, Choice, ErrorNote, Note } from "../../ui/basics";
import { LiveVideo } from "../../video/LiveVideo";
import pictures from "../../video/Video.module.css";
import { ByHand } from "./ByHand";
import { Capture } from "./Capture";
import { Compare } from "./Compare";
import styles from "./Panorama.module.css";
import { useSides } from "./sides";
import { type Calibration, PAIRS, useCalibration } from "./useCalibration";
import { usePoints } from "./usePoints";

const STEPS = ["aim", "capture", "compare"] as const;
type Step = (typeof STEPS)[number];

const version = (text: string | null) => (/^[1-9]\d*$/.test(text ?? "") ? Number(text) : null);

/** From two pictures to a calibration, step by step. The step is in the address. */
export function Guide({ told }: { told: Schema["CalibrationStatus"] | undefined }) {
  const [wanted, setStep] = useHashState("step");
  const [before, setBefore] = useHashState("before");
  const [after, setAfter] = useHashState("after");
  const by = usePoints();
  const [match, setMatch] = useHashState("from");
  const calibration = useCalibration(by.points, told, {
    begun: () => setStep("capture"),
    done: (made, usedBefore) => {
      by.setPoints([]);
      setBefore(usedBefore === null ? null : String(usedBefore));
      setAfter(String(made));
      setStep("compare");
    },
  });
  const step = stepOf(wanted, version(after), calibration, told);
  const close = () => {
    for (const set of [setStep, setBefore, setAfter]) set(null);
  };
  const text = words.panorama.guide;
  return (
    <Card title={text.title}>
      {step && <Steps now={step} />}
      {step === null && (
        <Intro
          taken={told?.is_calibrating ? told.frames_captured : 0}
          onStart={() => setStep("aim", { push: true })}
          onResume={() => setStep("capture", { push: true })}
        />
      )}
      {step === "aim" && (
        <Aim calibration={calibration} onCancel={close}>
          <FromMatch calibration={calibration} match={match ?? ""} onChoose={setMatch} />
        </Aim>
      )}
      {step === "capture" && <Capture calibration={calibration} onCancel={close} />}
      {step === "compare" && (
        <Compare
          before={version(before)}
          after={version(after) as number}
          onClose={close}
          onAgain={() => {
            close();
            setStep("aim");
          }}
        />
      )}
      {step !== "compare" && (step !== null || by.points.length > 0) && <ByHand {...by} />}
    </Card>
  );
}

/** The step of the address; one that cannot be shown now is the one before it. */
function stepOf(
  wanted: string | null,
  after: number | null,
  { isBusy, error }: Calibration,
  told: Schema["CalibrationStatus"] | undefined,
): Step | null {
  const step = STEPS.find((each) => each === wanted) ?? null;
  if (step === "compare" && after === null) return null;
  const hasBegun = isBusy || error !== null || told === undefined || told.is_calibrating;
  return step === "capture" && !hasBegun ? "aim" : step;
}

function Steps({ now }: { now: Step }) {
  const text = words.panorama.guide;
  return (
    <ol className={styles.steps} aria-label={text.steps}>
      {STEPS.map((step, n) => (
        <li key={step} aria-current={step === now ? "step" : undefined}>
          <span className={styles.stepNumber} aria-hidden="true">
            {n + 1}
          </span>
          {text.step[step]}
        </li>
      ))}
    </ol>
  );
}

function Intro({
  taken,
  onStart,
  onResume,
}: {
  taken: number;
  onStart: () => void;
  onResume: () => void;
}) {
  const text = words.panorama.guide;
  return (
    <>
      <p>{text.intro}</p>
      <div className="row">
        <Button tone="primary" onClick={onStart}>
          {text.start}
        </Button>
        {taken > 0 && (
          <Button onClick={onResume}>{text.resume(Math.min(taken, PAIRS), PAIRS)}</Button>
        )}
      </div>
    </>
  );
}

const SHOULD_OVERLAP = 0.25;

/** Both cameras live, with the part shaded that both see or should see. */
function Aim({
  calibration,
  onCancel,
  children,
}: {
  calibration: Calibration;
  onCancel: () => void;
  children: ReactNode;
}) {
  const recording = useChannel("pipeline_state")?.mode === "recording";
  const known = overlapOf(useChannel("panorama_status")?.panorama.calibration_info);
  const sides = useSides();
  const text = words.panorama.guide;
  const shared = known ?? SHOULD_OVERLAP;
  return (
    <>
      <ul className={styles.advice}>
        <li>{text.mount}</li>
        <li>{text.move}</li>
      </ul>
      {recording && (
        <Note tone="warn" title={text.recording}>
          {text.recordingBody}
        </Note>
      )}
      {!calibration.isBusy && (
        <div className={pictures.grid}>
          {([0, 1] as const).map((side) => (
            <LiveVideo
              key={side}
              stream={`cam${side}`}
              label={sides[side]}
              overlay={<Shaded side={side} share={shared} />}
            />
          ))}
        </div>
      )}
      <p className="muted small">{known === null ? text.shouldOverlap : text.shaded}</p>
      {calibration.phase === "match" && <p role="status">{text.fromMatchBusy}</p>}
      <ErrorNote error={calibration.error} />
      <div className="row">
        <Button
          tone="primary"
          disabled={calibration.isBusy || recording}
          onClick={() => calibration.capture({ resume: false })}
        >
          {text.capture(PAIRS)}
        </Button>
        <Button disabled={calibration.isBusy} onClick={onCancel}>
          {text.cancel}
        </Button>
      </div>
      {children}
    </>
  );
}

function Shaded({ side, share }: { side: 0 | 1; share: number }) {
  const at = side === 0 ? 100 - share * 100 : 0;
  return (
    <svg
      className={pictures.aids}
      viewBox="0 0 100 100"
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      <rect className={styles.shaded} x={at} y="0" width={share * 100} height="100" />
    </svg>
  );
}

function FromMatch({
  calibration,
  match,
  onChoose,
}: {
  calibration: Calibration;
  match: string;
  onChoose: (match: string | null) => void;
}) {
  const matches = useMatches();
  const usable = Object.entries(matches.data ?? {})
    .filter(([, entry]) => entry.camera_count >= 2 && entry.state === "finished")
    .map(([id, { details }]) => [id, titleOf(id, details)] as const);
  const chosen = usable.some(([id]) => id === match) ? match : "";
  // What is not there any more would come back with the next match of its name.
  const isGone = matches.isSuccess && match !== "" && chosen === "";
  useEffect(() => {
    if (isGone) onChoose(null);
  }, [isGone, onChoose]);
  const text = words.panorama.guide;
  if (usable.length === 0) return null;
  return (
    <div className="row">
      <Choice
        label={text.fromMatch}
        value={chosen}
        onChange={(event) => onChoose(event.target.value || null)}
        options={[["", text.chooseMatch], ...usable]}
      />
      <Button
        disabled={calibration.isBusy || !chosen}
        onClick={() => calibration.fromMatch(chosen)}
      >
        {text.useMatch}
      </Button>
    </div>
  );
}

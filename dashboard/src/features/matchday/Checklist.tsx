import type { ReactNode } from "react";
import { Link } from "wouter";
import { useMatches } from "../../api/capture";
import type { Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { useKeptOnDevice } from "../../lib/kept";
import { areOffline, type Readiness } from "../../lib/readiness";
import { words } from "../../messages";
import { Badge, Button, Card } from "../../ui/basics";
import { EMPTY } from "./draft";
import styles from "./matchday.module.css";
import type { Starter } from "./useStart";

/** What to do before the first match; with a match it goes away once nothing is to do, or when it is hidden. */
export function Checklist({
  cameras,
  readiness,
  starter,
}: {
  cameras: Schema["CameraStatus"][] | undefined;
  readiness: Readiness;
  starter: Starter;
}) {
  const texts = words.matchday.checklist;
  const matches = useMatches();
  const told = useChannel("panorama_status");
  const [isHidden, hide] = useKeptOnDevice("touchline-checklist-hidden", false);
  if (!matches.data || !cameras) return null;
  const isRecorded = Object.keys(matches.data).length > 0;
  const calibration = calibrationOf(cameras, told?.calibration);
  if (isRecorded && (calibration.done || !told || isHidden)) return null;
  const draft = { ...EMPTY, competition: texts.testName };
  return (
    <Card
      title={texts.title}
      tools={
        isRecorded && (
          <Button size="small" onClick={() => hide(true)}>
            {texts.hide}
          </Button>
        )
      }
    >
      <ol className={styles.steps}>
        <Step
          title={texts.cameras}
          done={readiness.ready}
          state={camerasInWords(cameras, readiness)}
        >
          <Link href="/preview">{texts.camerasTodo}</Link>
        </Step>
        <Step title={texts.calibrate} {...calibration}>
          <Link href="/panorama">{texts.calibrateTodo}</Link>
        </Step>
        <Step title={texts.test} done={isRecorded} state={isRecorded ? "" : texts.testState}>
          <Button
            disabled={starter.pending}
            onClick={() => starter.start({ draft, process: false, requireAll: null })}
          >
            {texts.testTodo}
          </Button>
        </Step>
      </ol>
    </Card>
  );
}

function camerasInWords(cameras: Schema["CameraStatus"][], { missing }: Readiness): string {
  const texts = words.matchday.checklist;
  if (cameras.length === 0) return texts.camerasNone;
  return missing.length ? areOffline(missing) : texts.camerasReady;
}

function calibrationOf(
  cameras: Schema["CameraStatus"][],
  calibration: Schema["CalibrationStatus"] | undefined,
): { done: boolean; state: string } {
  const texts = words.matchday.checklist;
  if (cameras.length === 1) return { done: true, state: texts.oneCamera };
  if (calibration?.calibrated) return { done: true, state: texts.calibrated };
  return { done: false, state: texts.notCalibrated };
}

function Step({
  title,
  done,
  state,
  children,
}: {
  title: string;
  done: boolean;
  state: string;
  children: ReactNode;
}) {
  const texts = words.matchday.checklist;
  return (
    <li>
      <Badge tone={done ? "good" : "plain"}>{done ? texts.done : texts.open}</Badge>
      <span className="grow">
        <strong>{title}</strong> <span className="muted">{state}</span>
      </span>
      {children}
    </li>
  );
}

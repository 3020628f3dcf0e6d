import { useRef } from "react";
import { useMatches } from "../../api/capture";
import { useChannel } from "../../api/live";
import { readinessOf } from "../../lib/readiness";
import { words } from "../../messages";
import { CameraCard, Pictures } from "./Cameras";
import { Checklist } from "./Checklist";
import { nextPartOf, useDraft } from "./draft";
import { Happenings } from "./Happenings";
import { Moments } from "./Moments";
import styles from "./matchday.module.css";
import { Problems } from "./Problems";
import { StartForm } from "./StartForm";
import { StateCard } from "./State";
import { useStart } from "./useStart";
import { useWakeLock } from "./useWakeLock";
import { Verdict } from "./Verdict";

export function MatchDay() {
  const status = useChannel("status");
  const told = useChannel("cameras");
  const health = useChannel("recording_health");
  const metrics = useChannel("system_metrics");
  const matches = useMatches();
  const details = useDraft();
  const button = useRef<HTMLButtonElement>(null);
  const recording = status?.recording;
  const running = recording?.recording ? recording.match_id : null;
  const awake = useWakeLock(running !== null);
  const cameras = told?.cameras;
  const minutesLeft = told?.disk_minutes_left;
  const readiness = readinessOf(cameras);
  const starter = useStart(cameras ?? [], details.clear);
  const stop = running === null ? status?.last_stop : null;
  const secondHalf = (id: string) => {
    details.set(nextPartOf(id, matches.data?.[id]));
    button.current?.focus();
  };
  return (
    <div className={running === null ? "page" : styles.pitch}>
      <div className="page">
        <h1 className="sr-only">{words.matchday.title}</h1>
        {stop && <Verdict stop={stop} onSecondHalf={() => secondHalf(stop.match_id)} />}
        <StateCard
          recording={recording}
          cameras={cameras}
          entry={running === null ? undefined : matches.data?.[running]}
          minutesLeft={minutesLeft ?? null}
          awake={awake}
        >
          <StartForm
            ready={recording !== undefined}
            readiness={readiness}
            starter={starter}
            details={details}
            button={button}
          />
        </StateCard>
        <Problems
          recording={recording}
          cameras={cameras}
          health={health}
          metrics={metrics}
          minutesLeft={minutesLeft}
        />
      </div>
      {running !== null && <Moments key={running} matchId={running} />}
      <div className="page">
        {running === null && (
          <Checklist cameras={cameras} readiness={readiness} starter={starter} />
        )}
        <Pictures cameras={cameras ?? []} preview={status?.preview} recording={recording} />
        <div className="columns">
          {(cameras ?? []).map((camera) => (
            <CameraCard key={camera.id} camera={camera} recording={recording} health={health} />
          ))}
          <Happenings cameras={cameras ?? []} />
        </div>
      </div>
    </div>
  );
}

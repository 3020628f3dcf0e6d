import { api, ask, type Schema } from "../../api/http";
import { bitrate, number, shortDuration } from "../../lib/format";
import { useHashState } from "../../lib/hashLocation";
import { stateOfCamera } from "../../lib/readiness";
import { words } from "../../messages";
import { Badge, Button, Card, Details, Facts, Note, Switch } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import { LiveVideo } from "../../video/LiveVideo";
import pictures from "../../video/Video.module.css";
import type { Recording } from "./State";

export function Pictures({
  cameras,
  preview,
  recording,
}: {
  cameras: Schema["CameraStatus"][];
  preview: Schema["PreviewStatus"] | undefined;
  recording: Recording | undefined;
}) {
  const { live } = words.matchday;
  const [choice, choose] = useHashState("live");
  const shown = choice !== "off";
  const barred = recording?.recording === true && preview?.preview_while_recording === false;
  const allow = useAction((enabled: boolean) =>
    ask(api.PUT("/api/v1/settings/preview-while-recording", { body: { enabled } })),
  );
  if (cameras.length === 0) return null;
  return (
    <Card
      title={live.title}
      tools={
        <>
          {preview && (
            <Switch
              label={live.allow}
              checked={preview.preview_while_recording === true}
              onChange={(enabled) => allow.mutate(enabled)}
            />
          )}
          <Button size="small" onClick={() => choose(shown ? "off" : null)}>
            {shown ? live.hide : live.show}
          </Button>
        </>
      }
    >
      {barred ? (
        <Note title={live.off}>{live.offTodo}</Note>
      ) : (
        shown && (
          <div className={pictures.grid}>
            {cameras.map((camera) => (
              <LiveVideo key={camera.id} stream={`cam${camera.id}`} label={camera.name} />
            ))}
          </div>
        )
      )}
    </Card>
  );
}

/** A camera in figures; the words of programs are under its details. */
export function CameraCard({
  camera,
  recording,
  health,
}: {
  camera: Schema["CameraStatus"];
  recording: Recording | undefined;
  health: Schema["RecordingHealth"] | undefined;
}) {
  const texts = words.matchday.cameraCard;
  const { unknown, ago } = words.format;
  const key = `camera_${camera.id}`;
  const filmed = recording?.recording ? recording.cameras[key] : undefined;
  const recovery = recording?.recording ? recording.camera_recovery[key] : undefined;
  const age = camera.last_frame_age_s;
  const { condition, tone } = stateOfCamera(camera, recording);
  return (
    <Card title={camera.name} tools={<Badge tone={tone}>{words.matchday.camera[condition]}</Badge>}>
      <Facts
        facts={[
          [texts.fps, texts.fpsValue(number(camera.fps, 1))],
          [texts.bitrate, bitrate(camera.bitrate_bps)],
          [texts.lastPicture, age === null ? texts.never : ago(shortDuration(age))],
          [texts.gaps, filmed?.gaps == null ? unknown : number(filmed.gaps)],
          [texts.reconnects, recovery ? number(recovery.attempts) : unknown],
          [texts.framesLost, filmed ? framesLost(filmed) : unknown],
        ]}
      />
      <Details lines={inWordsOfPrograms(camera, health?.camera_diagnostics?.[key])} />
    </Card>
  );
}

/** Only a match loses frames: what a camera's program counts over its life is not of a match. */
function framesLost({ dropped }: Schema["CameraUptime"]): string {
  const texts = words.matchday.cameraCard;
  const lost = Object.entries(dropped ?? {}).filter(([, count]) => count > 0);
  return lost.length
    ? lost.map(([place, count]) => texts.lostAt(number(count), placeOf(place))).join(", ")
    : texts.none;
}

/** Where pictures were lost, in words; a place of a later version has its own name. */
function placeOf(place: string): string {
  const { places } = words.matchday.cameraCard;
  return Object.hasOwn(places, place) ? places[place as keyof typeof places] : place;
}

function inWordsOfPrograms(
  camera: Schema["CameraStatus"],
  diagnostics: Schema["CameraDiagnostics"] | undefined,
): string[] {
  const texts = words.matchday.cameraCard;
  const age = diagnostics?.latest_segment_age_seconds;
  return [
    ...(camera.last_error ? [texts.lastFault(camera.last_error)] : []),
    ...(typeof age === "number" ? [texts.fileAge(shortDuration(age))] : []),
  ];
}

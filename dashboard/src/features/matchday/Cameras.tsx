import { useState } from "react";
import { api, ask, type Schema } from "../../api/http";
import { bitrate, duration } from "../../lib/format";
import { isLost } from "../../lib/problems";
import { Badge, Button, Card, Details, Facts, Note, Switch } from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import { LiveVideo } from "../../video/LiveVideo";
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
  const [shown, setShown] = useState(true);
  const barred = recording?.recording === true && preview?.preview_while_recording === false;
  const allow = useAction(
    (enabled: boolean) =>
      ask(api.PUT("/api/v1/settings/preview-while-recording", { body: { enabled } })),
    { done: ({ enabled }) => (enabled ? "Viewers may watch the recording" : "Viewers have left") },
  );
  if (cameras.length === 0) return null;
  return (
    <Card
      title="Live"
      tools={
        <>
          {preview && (
            <Switch
              label="Watch while recording"
              checked={preview.preview_while_recording === true}
              onChange={(enabled) => allow.mutate(enabled)}
            />
          )}
          <Button size="small" aria-pressed={shown} onClick={() => setShown(!shown)}>
            {shown ? "Hide" : "Show"}
          </Button>
        </>
      }
    >
      {barred ? (
        <Note title="Nobody watches while this match is recorded">
          The cameras belong to the recording alone. “Watch while recording” shows its own pictures
          without costing it a frame.
        </Note>
      ) : (
        shown && (
          <div className="videos">
            {cameras.map((camera) => (
              <LiveVideo key={camera.id} stream={`cam${camera.id}`} label={camera.name} />
            ))}
          </div>
        )
      )}
    </Card>
  );
}

const STATE_TONES: Record<Schema["CameraStatus"]["state"], "good" | "bad" | "plain"> = {
  idle: "plain",
  starting: "plain",
  running: "good",
  stopping: "plain",
  error: "bad",
};

export function CameraCard({
  camera,
  recording,
  health,
}: {
  camera: Schema["CameraStatus"];
  recording: Recording | undefined;
  health: Schema["RecordingHealth"] | undefined;
}) {
  const key = `camera_${camera.id}`;
  const diagnostics = health?.camera_diagnostics?.[key];
  const recovery = recording?.recording ? recording.camera_recovery[key] : undefined;
  const filmed = recording?.recording ? recording.cameras[key] : undefined;
  // Only a match loses frames: what a worker counts over its life has none of a match in it.
  const lost = Object.entries(filmed?.dropped ?? {}).filter(([, count]) => count > 0);
  const age = diagnostics?.latest_segment_age_seconds;
  return (
    <Card
      title={camera.name}
      tools={
        <Badge tone={isLost(camera) ? "bad" : (STATE_TONES[camera.state] ?? "plain")}>
          {isLost(camera) && camera.state !== "error" ? "no pictures" : camera.state}
        </Badge>
      }
    >
      <Facts
        facts={[
          ["Frames a second", camera.fps.toFixed(1)],
          ["Bit rate", bitrate(camera.bitrate_bps)],
          [
            "Newest frame",
            camera.last_frame_age_s === null ? "–" : `${camera.last_frame_age_s.toFixed(1)} s ago`,
          ],
          ["Segment age", typeof age === "number" ? duration(age) : "–"],
          ["Gaps", filmed?.gaps ?? "–"],
          ["Brought back", recovery ? `${recovery.attempts}×` : "–"],
          [
            "Frames lost",
            !filmed
              ? "–"
              : lost.length
                ? lost.map(([where, n]) => `${n} (${where})`).join(", ")
                : "none",
          ],
        ]}
      />
      <Details lines={camera.last_error ? [`Last fault: ${camera.last_error}`] : []} />
    </Card>
  );
}

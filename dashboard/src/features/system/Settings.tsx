import { useState } from "react";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import { usePanoramaConfig } from "../../api/panorama";
import { applyTheme, savedTheme, type Theme } from "../../lib/theme";
import { Button, Card, Choice, NumberSetting, Switch } from "../../ui/basics";
import { useAction } from "../../ui/feedback";

export function Settings() {
  const preview = useChannel("status")?.preview;
  const [theme, setTheme] = useState(savedTheme);
  const watch = useAction(
    (enabled: boolean) =>
      ask(api.PUT("/api/v1/settings/preview-while-recording", { body: { enabled } })),
    { done: () => "Changed until the server ends" },
  );
  const { output, previewFps, change } = usePanoramaConfig();
  const emptied = useAction(() => ask(api.POST("/cache/clear")), {
    asks: () => ({
      title: "Forget what was looked up?",
      body: "Answers that the server keeps for a short while are asked for anew.",
      action: "Forget",
    }),
    done: ({ message }) => message,
  });
  const tidied = useAction(
    () => ask(api.POST("/events/cleanup", { params: { query: { max_age_days: 30 } } })),
    {
      asks: () => ({
        title: "Remove events older than 30 days?",
        action: "Remove",
        danger: true,
      }),
      done: ({ message }) => message,
    },
  );
  return (
    <div className="columns">
      <Card title="Cameras">
        {preview && (
          <Switch
            label="A recording may be watched"
            checked={preview.preview_while_recording === true}
            onChange={(enabled) => watch.mutate(enabled)}
          />
        )}
        <p className="muted small">
          Viewers see the recording's own pictures. It holds until the server ends; the settings
          file has it for good.
        </p>
      </Card>
      <Card title="Panorama">
        <Switch
          label="As large as the cameras' own resolution"
          checked={output?.automatic === true}
          onChange={(on) =>
            change(
              on
                ? { automatic_size: true }
                : { output_width: output?.width, output_height: output?.height },
            )
          }
        />
        <p className="muted small">
          Now {output?.width} × {output?.height} pixels
        </p>
        <NumberSetting
          label="Frames a second of its live picture"
          min={1}
          max={60}
          value={previewFps}
          onChange={(wanted) => change({ preview_fps_target: wanted })}
        />
      </Card>
      <Card title="This page">
        <Choice
          label="Colours"
          value={theme}
          onChange={(event) => {
            const chosen = event.target.value as Theme;
            applyTheme(chosen);
            setTheme(chosen);
          }}
          options={[
            ["system", "As the device"],
            ["light", "Light"],
            ["dark", "Dark"],
          ]}
        />
      </Card>
      <Card title="Tidying up">
        <div className="row">
          <Button onClick={() => emptied.mutate(undefined)}>Forget what was looked up</Button>
          <Button onClick={() => tidied.mutate(undefined)}>Remove old events</Button>
        </div>
      </Card>
    </div>
  );
}

import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import { usePanoramaConfig } from "../../api/panorama";
import { applyTheme, type Theme, useTheme } from "../../lib/theme";
import { LANGUAGES, type Language, words } from "../../messages";
import { useLanguage } from "../../messages/LanguageProvider";
import { Button, Card, Choice, ErrorNote, NumberSetting, Switch } from "../../ui/basics";
import { useAction } from "../../ui/feedback";

/** What can be changed while the server runs, and how this device shows the page. */
export function Settings() {
  return (
    <div className="columns">
      <Cameras />
      <Panorama />
      <Device />
      <Housekeeping />
    </div>
  );
}

function Cameras() {
  const preview = useChannel("status")?.preview;
  const watch = useAction((enabled: boolean) =>
    ask(api.PUT("/api/v1/settings/preview-while-recording", { body: { enabled } })),
  );
  const text = words.system.settings;
  return (
    <Card title={text.cameras}>
      {preview && (
        <Switch
          label={text.watch}
          checked={preview.preview_while_recording === true}
          onChange={(enabled) => watch.mutate(enabled)}
        />
      )}
      <p className="muted small">{text.watchHint}</p>
    </Card>
  );
}

function Panorama() {
  const { output, previewFps, change, save, error } = usePanoramaConfig();
  const text = words.system.settings;
  return (
    <Card title={text.panorama}>
      <ErrorNote error={error} />
      <Switch
        label={text.fullSize}
        checked={output?.automatic === true}
        onChange={(on) =>
          change(
            on
              ? { automatic_size: true }
              : { output_width: output?.width, output_height: output?.height },
          )
        }
      />
      {output && <p className="muted small">{text.sizeNow(output.width, output.height)}</p>}
      <NumberSetting
        label={text.liveFps}
        min={1}
        max={60}
        value={previewFps}
        onChange={(wanted) => save({ preview_fps_target: wanted })}
      />
    </Card>
  );
}

function Device() {
  const theme = useTheme();
  const { language, choose } = useLanguage();
  const { colour, colours, language: languageLabel } = words.shell;
  return (
    <Card title={words.system.settings.device}>
      <Choice
        label={colours}
        value={theme}
        onChange={(event) => applyTheme(event.target.value as Theme)}
        options={(["system", "light", "dark"] as const).map(
          (each) => [each, colour[each]] as const,
        )}
      />
      <Choice
        label={languageLabel}
        value={language}
        onChange={(event) => void choose(event.target.value as Language)}
        options={Object.entries(LANGUAGES)}
      />
    </Card>
  );
}

function Housekeeping() {
  const text = words.system.settings;
  const emptied = useAction(() => ask(api.POST("/cache/clear")), {
    asks: () => ({
      title: text.clearCacheAsk,
      body: text.clearCacheBody,
      action: text.clearCache,
    }),
    done: () => text.cacheCleared,
  });
  const tidied = useAction(
    () => ask(api.POST("/events/cleanup", { params: { query: { max_age_days: 30 } } })),
    {
      asks: () => ({
        title: text.oldEventsAsk,
        body: text.oldEventsBody,
        action: text.remove,
        danger: true,
      }),
      done: ({ deleted }) => text.eventsRemoved(deleted),
    },
  );
  return (
    <Card title={text.tidy}>
      <div className="row">
        <Button onClick={() => emptied.mutate(undefined)}>{text.clearCache}</Button>
        <Button onClick={() => tidied.mutate(undefined)}>{text.oldEvents}</Button>
      </div>
    </Card>
  );
}

import type { Schema } from "../../api/http";
import { usePanoramaConfig } from "../../api/panorama";
import { number } from "../../lib/format";
import { useHashState } from "../../lib/hashLocation";
import { words } from "../../messages";
import { Button, Card, Choice, Facts, NumberSetting } from "../../ui/basics";
import { LiveVideo } from "../../video/LiveVideo";

/** The panorama live, and how panoramas are made. */
export function LivePanorama({ told }: { told: Schema["PanoramaStatus"] | undefined }) {
  const [live, setLive] = useHashState("live");
  const performance = told?.performance as { current_fps?: number; delay_ms?: number } | undefined;
  const text = words.panorama.seam;
  const shown = live !== null;
  return (
    <Card
      title={text.title}
      tools={
        <Button
          aria-pressed={shown}
          disabled={!shown && told?.calibrated !== true}
          onClick={() => setLive(shown ? null : "1")}
        >
          {shown ? text.hide : text.live}
        </Button>
      }
    >
      {shown && <LiveVideo stream="panorama" label={words.panorama.title} wide />}
      {shown && told?.preview_active && (
        <Facts
          facts={[
            [text.fps, number(performance?.current_fps ?? 0, 1, 1)],
            [text.delay, text.milliseconds(Math.round(performance?.delay_ms ?? 0))],
          ]}
        />
      )}
      <Form />
    </Card>
  );
}

/** How panoramas are made; what is refused is told at its field. */
function Form() {
  const { output, seamPixels, change, save } = usePanoramaConfig();
  const text = words.panorama.seam;
  return (
    <div className="fields">
      <Choice
        label={text.projection}
        value={output?.projection ?? "cylindrical"}
        onChange={(event) => change({ projection: event.target.value as "cylindrical" | "plane" })}
        options={[
          ["cylindrical", text.cylindrical],
          ["plane", text.plane],
        ]}
      />
      <Choice
        label={text.quality}
        value={output?.quality ?? "balanced"}
        onChange={(event) =>
          change({ quality: event.target.value as "fast" | "balanced" | "high" })
        }
        options={[
          ["fast", text.fast],
          ["balanced", text.balanced],
          ["high", text.high],
        ]}
      />
      <NumberSetting
        label={text.width}
        min={2}
        max={800}
        value={seamPixels}
        onChange={(width) => save({ blend_width: width })}
      />
    </div>
  );
}

import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { api, ask, askDone, type Schema } from "../../api/http";
import { useChannel } from "../../api/live";
import { usePanoramaConfig } from "../../api/panorama";
import { ago, percent } from "../../lib/format";
import { parseMatchId } from "../../lib/matchName";
import { qualityInWords } from "../../lib/quality";
import {
  Badge,
  Button,
  Card,
  Choice,
  Empty,
  ErrorNote,
  Facts,
  Loading,
  NumberSetting,
} from "../../ui/basics";
import { useAction } from "../../ui/feedback";
import { LiveVideo } from "../../video/LiveVideo";
import { Guide } from "./Calibrate";
import { FollowCut } from "./FollowCut";
import { type Point, Pointed } from "./Pointed";

export default function Panorama() {
  const told = useChannel("panorama_status");
  const version = told?.calibration.version ?? null;
  return (
    <div className="page">
      <div className="page-head">
        <h1>Panorama</h1>
        {told && (
          <Badge tone={told.calibration.calibrated ? "good" : "warn"}>
            {told.calibration.calibrated ? `calibration ${version}` : "not calibrated"}
          </Badge>
        )}
      </div>
      <Guide calibrating={told?.calibration} />
      {version !== null && <Result version={version} />}
      <div className="columns">
        <Seam told={told?.panorama} />
        <Versions active={version} />
      </div>
      <FollowCut />
    </div>
  );
}

function Result({ version }: { version: number }) {
  const details = useQuery({
    queryKey: ["calibrations", version],
    queryFn: () =>
      ask(api.GET("/api/v1/panorama/calibrations/{version}", { params: { path: { version } } })),
  });
  if (!details.data) return details.error ? <ErrorNote error={details.error} /> : <Loading />;
  const { points, quality, pair, pairs } = details.data;
  const { word, advice } = qualityInWords({ ...quality, quality_score: quality.score });
  const lens = (camera: number) => {
    const told = pair[`lens${camera}`] as { width: number; height: number } | undefined;
    return told && { width: told.width, height: told.height };
  };
  const overlap = Number(quality.overlap ?? 0);
  return (
    <Card
      title="What both cameras see"
      tools={
        <Badge tone={word === "Poor" ? "bad" : word === "Good" ? "info" : "good"}>{word}</Badge>
      }
    >
      <p>{advice}</p>
      <div className="videos">
        {([0, 1] as const).map((camera) => (
          <Pointed
            key={camera}
            camera={camera}
            size={lens(camera)}
            points={points.map((each) => (camera === 0 ? each.cam0 : each.cam1) as Point)}
          />
        ))}
      </div>
      <Facts
        facts={[
          ["Matched points", points.length],
          ["Pairs of pictures", pairs],
          ["Views shared", percent(overlap * 100)],
          ["Off by", `${Number(quality.reprojection_error_px ?? 0).toFixed(1)} px`],
        ]}
      />
    </Card>
  );
}

function Seam({ told }: { told: Schema["PanoramaStatus"] | undefined }) {
  const [shown, setShown] = useState(false);
  const { output, seamPixels, change } = usePanoramaConfig();
  const performance = told?.performance as { current_fps?: number; delay_ms?: number } | undefined;
  return (
    <Card
      title="Seam"
      tools={
        <Button aria-pressed={shown} onClick={() => setShown(!shown)}>
          {shown ? "Hide" : "Look at it live"}
        </Button>
      }
    >
      {shown && <LiveVideo stream="panorama" label="Panorama" wide />}
      {shown && told?.preview_active && (
        <Facts
          facts={[
            ["Frames a second", (performance?.current_fps ?? 0).toFixed(1)],
            ["Delay", `${Math.round(performance?.delay_ms ?? 0)} ms`],
          ]}
        />
      )}
      <div className="fields">
        <Choice
          label="Projection"
          value={output?.projection ?? "cylindrical"}
          onChange={(event) =>
            change({ projection: event.target.value as "cylindrical" | "plane" })
          }
          options={[
            ["cylindrical", "Cylinder: any width"],
            ["plane", "Plane: straight lines, below 120°"],
          ]}
        />
        <Choice
          label="Quality of a match's panorama"
          value={output?.quality ?? "balanced"}
          onChange={(event) =>
            change({ quality: event.target.value as "fast" | "balanced" | "high" })
          }
          options={[
            ["fast", "Fast"],
            ["balanced", "Balanced"],
            ["high", "High"],
          ]}
        />
        <NumberSetting
          label="Width of the seam (pixels)"
          min={2}
          max={800}
          value={seamPixels}
          onChange={(width) => change({ blend_width: width })}
        />
      </div>
    </Card>
  );
}

function Versions({ active }: { active: number | null }) {
  const queries = useQueryClient();
  const list = useQuery({
    queryKey: ["calibrations"],
    queryFn: () => ask(api.GET("/api/v1/panorama/calibrations")),
  });
  const after = () => void queries.invalidateQueries({ queryKey: ["calibrations"] });
  const use = useAction(
    (version: number) =>
      askDone(
        api.POST("/api/v1/panorama/calibrations/{version}/activate", {
          params: { path: { version } },
        }),
      ),
    { done: ({ message }) => message, after },
  );
  const drop = useAction(() => askDone(api.DELETE("/api/v1/panorama/calibration")), {
    asks: () => ({
      title: "Use no calibration?",
      body: "Panoramas are then both views side by side. Calibrations are kept and can be used again.",
      action: "Use none",
      danger: true,
    }),
    done: ({ message }) => message,
    after,
  });
  const calibrations = list.data?.calibrations ?? [];
  return (
    <Card
      title="Calibrations"
      tools={
        active !== null && (
          <Button size="small" onClick={() => drop.mutate(undefined)}>
            Use none
          </Button>
        )
      }
    >
      {calibrations.length === 0 ? (
        <Empty>There is none yet.</Empty>
      ) : (
        <ul className="stack">
          {calibrations.map((each) => (
            <li key={each.version} className="row between">
              <span>
                {each.version}: {qualityInWords({ quality_score: each.quality.score }).word},{" "}
                <span className="muted">
                  {ago(each.created_at)},{" "}
                  {each.source === "cameras" ? "with the cameras" : parseMatchId(each.source).title}
                </span>
              </span>
              {each.version === active ? (
                <Badge tone="good">in use</Badge>
              ) : (
                <Button size="small" onClick={() => use.mutate(each.version)}>
                  Use
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
    </Card>
  );
}

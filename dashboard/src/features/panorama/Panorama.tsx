import { useQuery } from "@tanstack/react-query";
import { api, ask } from "../../api/http";
import { useChannel } from "../../api/live";
import { qualityInWords } from "../../lib/quality";
import { words } from "../../messages";
import { Badge, Card, ErrorNote, Loading } from "../../ui/basics";
import pictures from "../../video/Video.module.css";
import { FollowCut } from "./FollowCut";
import { Guide } from "./Guide";
import { LivePanorama } from "./LivePanorama";
import { Pointed } from "./Pointed";
import { QualityBadge, QualityFacts } from "./Quality";
import { useSides } from "./sides";
import type { Point } from "./usePoints";
import { Versions } from "./Versions";

export default function Panorama() {
  const told = useChannel("panorama_status");
  const version = told?.calibration.version ?? null;
  const text = words.panorama;
  return (
    <div className="page">
      <div className="page-head">
        <h1>{text.title}</h1>
        {told && (
          <Badge tone={version === null ? "warn" : "good"}>
            {version === null ? text.notCalibrated : text.calibrated(version)}
          </Badge>
        )}
      </div>
      <Guide told={told?.calibration} />
      {version !== null && <Result version={version} />}
      <div className="columns">
        <LivePanorama told={told?.panorama} />
        <Versions active={version} />
      </div>
      <FollowCut />
    </div>
  );
}

/** The calibration in use: the points that it found in both pictures, and how good it is. */
function Result({ version }: { version: number }) {
  const sides = useSides();
  const details = useQuery({
    queryKey: ["calibrations", version],
    queryFn: () =>
      ask(api.GET("/api/v1/panorama/calibrations/{version}", { params: { path: { version } } })),
  });
  if (!details.data) return details.error ? <ErrorNote error={details.error} /> : <Loading />;
  const { points, quality, pair } = details.data;
  const lens = (camera: number) => {
    const told = pair[`lens${camera}`] as { width: number; height: number } | undefined;
    return told && { width: told.width, height: told.height };
  };
  return (
    <Card title={words.panorama.result.title} tools={<QualityBadge score={quality.score} />}>
      <p>{qualityInWords({ ...quality, quality_score: quality.score }).advice}</p>
      <div className={pictures.grid}>
        {([0, 1] as const).map((camera) => (
          <Pointed
            key={camera}
            camera={camera}
            name={sides[camera]}
            size={lens(camera)}
            points={points.map((each) => (camera === 0 ? each.cam0 : each.cam1) as Point)}
          />
        ))}
      </div>
      <QualityFacts details={details.data} />
    </Card>
  );
}

import { number, percent } from "../../lib/format";
import { qualityInWords, type Rating } from "../../lib/quality";
import { words } from "../../messages";
import { Badge, Facts, type Tone } from "../../ui/basics";

const TONES: Record<Rating, Tone> = {
  excellent: "good",
  good: "info",
  poor: "bad",
  unknown: "plain",
};

/** How good a calibration is, in a word. */
export function QualityBadge({ score }: { score: unknown }) {
  const { rating, word } = qualityInWords({ quality_score: score });
  return <Badge tone={TONES[rating]}>{word}</Badge>;
}

type Figures = {
  points: readonly unknown[];
  quality: Record<string, unknown>;
  pairs: number;
};

/** How good a calibration is, in figures. */
export function QualityFacts({ details }: { details: Figures }) {
  const { points, quality, pairs } = details;
  const text = words.panorama.result;
  return (
    <Facts
      facts={[
        [text.error, text.pixels(number(Number(quality.reprojection_error_px ?? 0), 1, 1))],
        [text.overlap, percent(Number(quality.overlap ?? 0) * 100)],
        [text.points, points.length],
        [text.pairs, pairs],
      ]}
    />
  );
}

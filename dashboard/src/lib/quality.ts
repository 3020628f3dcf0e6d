import { words } from "../messages";

/** How good a calibration is; `unknown` before it was measured. */
export type Rating = "excellent" | "good" | "poor" | "unknown";

const NARROW = 0.12;

/** How good a calibration is, for somebody who has never seen a reprojection error. */
export function qualityInWords(quality: {
  quality_score?: unknown;
  reprojection_error?: unknown;
  overlap?: unknown;
}): { rating: Rating; word: string; advice: string } {
  const { ratings, advice, narrow } = words.panorama;
  const rating = ratingOf(quality.quality_score);
  const overlap = overlapOf(quality);
  const parts = rating === "unknown" ? [] : [advice[rating]];
  if (parts.length > 0 && overlap !== null && overlap < NARROW) parts.push(narrow);
  return { rating, word: ratings[rating], advice: parts.join(" ") };
}

function ratingOf(score: unknown): Rating {
  if (typeof score !== "number") return "unknown";
  if (score >= 0.85) return "excellent";
  return score >= 0.7 ? "good" : "poor";
}

/** What share of a picture's width the other camera sees too; null where nothing is known. */
export function overlapOf(info: { overlap?: unknown } | undefined): number | null {
  const overlap = info?.overlap;
  return typeof overlap === "number" && overlap > 0 ? Math.min(1, overlap) : null;
}

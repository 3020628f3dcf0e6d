/** How good a calibration is, for somebody who has never seen a reprojection error. */
export function qualityInWords(quality: {
  quality_score?: unknown;
  reprojection_error?: unknown;
  overlap?: unknown;
}): { word: "Excellent" | "Good" | "Poor" | "Unknown"; advice: string } {
  const score = typeof quality.quality_score === "number" ? quality.quality_score : null;
  if (score === null) return { word: "Unknown", advice: "" };
  const overlap = typeof quality.overlap === "number" ? quality.overlap : null;
  const narrow =
    overlap !== null && overlap < 0.12
      ? " The views hardly overlap: turn the cameras a little towards each other."
      : "";
  if (score >= 0.85) {
    return { word: "Excellent", advice: `The seam is hard to find.${narrow}` };
  }
  if (score >= 0.7) {
    return { word: "Good", advice: `Players may look cut for a moment at the seam.${narrow}` };
  }
  return {
    word: "Poor",
    advice: `Take more pairs while people move about where both cameras look, or mark points by hand.${narrow}`,
  };
}

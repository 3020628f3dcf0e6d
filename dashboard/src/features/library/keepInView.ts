/** So long a page is still being built after it was opened. */
const BUILDING_MS = 4_000;
const MOVES = ["wheel", "touchstart", "pointerdown", "keydown"] as const;

/**
 * Brings a place into view and keeps it there while what stands above it still grows, until
 * somebody moves on. Returns what ends that.
 */
export function keepInView(place: HTMLElement): () => void {
  const page = place.closest(".page") ?? document.body;
  const growth = new ResizeObserver(() => place.scrollIntoView({ block: "start" }));
  const end = () => {
    growth.disconnect();
    clearTimeout(timer);
    for (const move of MOVES) removeEventListener(move, end);
  };
  const timer = setTimeout(end, BUILDING_MS);
  for (const move of MOVES) addEventListener(move, end, { passive: true });
  growth.observe(page);
  return end;
}

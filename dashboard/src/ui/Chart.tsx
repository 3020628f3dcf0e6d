import { useEffect, useRef } from "react";
import type uPlot from "uplot";
import { locale } from "../lib/format";
import { words } from "../messages";
import { Loading } from "./basics";
import styles from "./Chart.module.css";

export type Line = { label: string; values: readonly (number | null)[] };
/** A part of the time that is shaded and named, such as a match. */
export type Span = { label: string; from: number; to: number };

const HEIGHT = 200;
/** Of what is shaded, in pixels. */
const LEAST_WIDTH = 3;
const A_DAY_S = 86_400;
const NO_SPANS: readonly Span[] = [];

/** Lines over time (Unix seconds), drawn by uPlot, which is loaded with the first chart. */
export function Chart({
  label,
  times,
  lines,
  unit,
  top,
  spans = NO_SPANS,
}: {
  label: string;
  times: readonly number[];
  lines: readonly Line[];
  unit: (value: number) => string;
  top?: number;
  spans?: readonly Span[];
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = useRef<uPlot.AlignedData>([[]]);
  data.current = [times, ...lines.map((line) => line.values)] as uPlot.AlignedData;
  const drawn = useRef({ unit, spans });
  drawn.current = { unit, spans };
  const names = lines.map((line) => line.label).join("\n");

  useEffect(() => {
    let over = false;
    let watch: ResizeObserver | undefined;
    const begin = async () => {
      const [{ default: Plot }] = await Promise.all([
        import("uplot"),
        import("uplot/dist/uPlot.min.css"),
      ]);
      const element = box.current;
      if (over || !element) return;
      element.replaceChildren();
      plot.current = new Plot(
        optionsOf(element, names.split("\n"), top, () => drawn.current),
        data.current,
        element,
      );
      watch = new ResizeObserver(() =>
        plot.current?.setSize({ width: element.clientWidth, height: HEIGHT }),
      );
      watch.observe(element);
    };
    void begin();
    return () => {
      over = true;
      watch?.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [names, top]);

  useEffect(() => {
    plot.current?.setData(data.current);
  });

  return (
    <figure>
      <figcaption className="small muted">{label}</figcaption>
      <div
        ref={box}
        className={styles.chart}
        role="img"
        aria-label={`${label}: ${inWords(lines, spans, unit)}`}
      >
        <Loading what={words.shell.drawing} />
      </div>
    </figure>
  );
}

/** What the chart shows, for those who do not see it. */
function inWords(lines: readonly Line[], spans: readonly Span[], unit: (value: number) => string) {
  const text = words.system.chart;
  const parts = lines.map(({ label, values }) => {
    const known = values.filter((value) => value !== null);
    if (known.length === 0) return `${label} ${text.none}`;
    const last = values[values.length - 1];
    const now = typeof last === "number" ? unit(last) : words.shell.noFigure;
    const low = known.reduce((a, b) => Math.min(a, b));
    const high = known.reduce((a, b) => Math.max(a, b));
    return text.line(label, now, unit(low), unit(high));
  });
  if (spans.length > 0) parts.push(text.matches(spans.map((span) => span.label).join(", ")));
  return parts.join("; ");
}

type Drawn = { unit: (value: number) => string; spans: readonly Span[] };

/** How uPlot draws it: as wide as the element, and in the colours of the page. */
function optionsOf(
  element: HTMLElement,
  names: string[],
  top: number | undefined,
  drawn: () => Drawn,
): uPlot.Options {
  const colour = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
  };
  const strokes = ["--accent", "--info", "--warn", "--bad"].map(colour);
  const format = (value: number) => drawn().unit(value);
  return {
    width: element.clientWidth,
    height: HEIGHT,
    cursor: { y: false },
    scales: {
      y: { range: (_, low, high) => [Math.min(0, low), Math.max(top ?? 0, high, 1)] },
    },
    axes: [
      { ...axis, values: (_, marks, _axis, _space, step) => marks.map(timeMark(step)) },
      { ...axis, size: 74, values: (_, marks) => marks.map((mark) => format(mark)) },
    ],
    hooks: { drawClear: [(chart) => shade(chart, drawn().spans, strokes[0] ?? "")] },
    series: [
      { label: words.system.chart.time, value: (_, at) => pointedAt(at, drawn().spans) },
      ...names.map((name, n) => ({
        label: name,
        stroke: strokes[n % strokes.length],
        width: 2,
        value: (_: uPlot, value: number | null) => (value === null ? "–" : format(value)),
      })),
    ],
  };
}

/** The time under the pointer, and the match that was recorded then. */
function pointedAt(at: number | null, spans: readonly Span[]): string {
  if (at === null) return "–";
  const time = new Date(at * 1000).toLocaleString(locale(), {
    dateStyle: "short",
    timeStyle: "medium",
  });
  const inside = spans.filter(({ from, to }) => from <= at && at <= to);
  return [time, ...inside.map(({ label }) => label)].join(" · ");
}

/** A mark of the time axis: the time of day, and at midnight and where marks are days apart the day. */
function timeMark(stepSeconds: number) {
  return (at: number) => {
    const date = new Date(at * 1000);
    const isDay = stepSeconds >= A_DAY_S || (date.getHours() === 0 && date.getMinutes() === 0);
    return isDay && stepSeconds >= 60
      ? date.toLocaleDateString(locale(), { weekday: "short", day: "numeric" })
      : date.toLocaleTimeString(locale(), { hour: "2-digit", minute: "2-digit" });
  };
}

/** Fills the times of the matches behind the lines; the shortest is still to be seen. */
function shade(chart: uPlot, spans: readonly Span[], colour: string) {
  const { left, top, width, height } = chart.bbox;
  const { ctx } = chart;
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, top, width, height);
  ctx.clip();
  ctx.fillStyle = colour;
  ctx.globalAlpha = 0.18;
  for (const { from, to } of spans) {
    // One that has only just ended is at the edge.
    const begins = Math.min(chart.valToPos(from, "x", true), left + width - LEAST_WIDTH);
    const ends = chart.valToPos(to, "x", true);
    ctx.fillRect(begins, top, Math.max(LEAST_WIDTH, ends - begins), height);
  }
  ctx.restore();
}

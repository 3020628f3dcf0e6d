import { useEffect, useRef } from "react";
import type uPlot from "uplot";
import { words } from "../messages";
import { Loading } from "./basics";

export type Line = { label: string; values: readonly (number | null)[] };

const HEIGHT = 200;

/** Lines over time (Unix seconds), drawn by uPlot, which is loaded with the first chart. */
export function Chart({
  label,
  times,
  lines,
  unit,
  top,
}: {
  label: string;
  times: readonly number[];
  lines: readonly Line[];
  unit: (value: number) => string;
  top?: number;
}) {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = useRef<uPlot.AlignedData>([[]]);
  data.current = [times, ...lines.map((line) => line.values)] as uPlot.AlignedData;
  const format = useRef(unit);
  format.current = unit;
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
        optionsOf(element, names.split("\n"), top, (value) => format.current(value)),
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

  const newest = lines
    .map(({ label: name, values }) => {
      const last = values[values.length - 1];
      return `${name} ${typeof last === "number" ? unit(last) : words.shell.noFigure}`;
    })
    .join(", ");
  return (
    <figure>
      <figcaption className="small muted">{label}</figcaption>
      <div ref={box} className="chart" role="img" aria-label={`${label}: ${newest}`}>
        <Loading what={words.shell.drawing} />
      </div>
    </figure>
  );
}

/** How uPlot draws it: as wide as the element, and in the colours of the page. */
function optionsOf(
  element: HTMLElement,
  names: string[],
  top: number | undefined,
  format: (value: number) => string,
): uPlot.Options {
  const colour = (name: string) => getComputedStyle(element).getPropertyValue(name).trim();
  const axis = {
    stroke: colour("--muted"),
    grid: { stroke: colour("--line"), width: 1 },
    ticks: { stroke: colour("--line"), width: 1 },
  };
  const strokes = ["--accent", "--info", "--warn", "--bad"].map(colour);
  return {
    width: element.clientWidth,
    height: HEIGHT,
    cursor: { y: false },
    scales: {
      y: { range: (_, low, high) => [Math.min(0, low), Math.max(top ?? 0, high, 1)] },
    },
    axes: [axis, { ...axis, size: 74, values: (_, marks) => marks.map((mark) => format(mark)) }],
    series: [
      {},
      ...names.map((name, n) => ({
        label: name,
        stroke: strokes[n % strokes.length],
        width: 2,
        value: (_: uPlot, value: number | null) => (value === null ? "–" : format(value)),
      })),
    ],
  };
}

/** Trends over time, drawn by uPlot. Loaded when a first one is shown, so it takes everything by parameter. */

import uPlot from "uplot";
import sheet from "uplot/dist/uPlot.min.css?inline";

export interface Trend {
  labels: string[];
  series: { name: string; values: (number | null)[]; colour: string }[];
  axis: (value: number) => string;
  ink: string;
  grid: string;
  font: string;
  rtl: boolean;
  onActive(at: number): void;
}

export interface Drawn {
  resize(width: number): void;
  select(at: number): void;
  destroy(): void;
}

export const HEIGHT = 210;
export const css: string = sheet;

/** Draws into `target`, which has the style sheet `css` in reach. */
export function draw(target: HTMLElement, width: number, trend: Trend): Drawn {
  const { labels, series } = trend;
  const room = Math.max(...labels.map((label) => label.length), 4) * 6.6 + 18; // px of a label
  const spacing = (self: uPlot) =>
    Math.max(1, Math.ceil((labels.length * room) / Math.max(room, self.width - 2 * room)));
  const text = { stroke: trend.ink, font: `11px ${trend.font}` };
  const plot: uPlot = new uPlot(
    {
      width,
      height: HEIGHT,
      padding: [12, room / 2 - 8, 0, 4],
      legend: { show: false },
      cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { size: 8 } },
      scales: {
        x: { time: false, dir: trend.rtl ? -1 : 1, range: [-0.2, Math.max(labels.length - 0.8, 0.2)] },
        y: { range: (_, low, high) => uPlot.rangeNum(Math.min(0, low), Math.max(0, high), 0.1, true) },
      },
      axes: [
        {
          ...text,
          size: 30,
          grid: { show: false },
          ticks: { show: false },
          splits: (self) => labels.map((_, at) => at).filter((at) => at % spacing(self) === 0),
          values: (_, splits) => splits.map((at) => labels[at] ?? ""),
        },
        {
          ...text,
          side: trend.rtl ? 1 : 3,
          size: 58,
          grid: { stroke: trend.grid, width: 1 },
          ticks: { show: false },
          values: (_, splits) => splits.map((value) => trend.axis(value)),
        },
      ],
      series: [
        {},
        ...series.map(({ name, colour }, at) => ({
          label: name,
          stroke: colour,
          width: 2.25,
          points: { show: labels.length <= 24, size: 6, fill: colour },
          ...(series.length === 1 && at === 0 ? { fill: `color-mix(in srgb, ${colour} 12%, transparent)` } : {}),
        })),
      ],
      hooks: { setCursor: [(self) => self.cursor.idx != null && trend.onActive(self.cursor.idx)] },
    },
    [labels.map((_, at) => at), ...series.map(({ values }) => values)],
    target,
  );
  return {
    resize: (to) => plot.setSize({ width: to, height: HEIGHT }),
    select: (at) => plot.setCursor({ left: plot.valToPos(at, "x"), top: HEIGHT / 3 }),
    destroy: () => plot.destroy(),
  };
}

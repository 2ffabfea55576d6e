/** Horizontal bars as SVG, one group for each label. */

import { nothing, type SVGTemplateResult, svg } from "lit";
import type { Format } from "../text/format.js";
import type { ChartData } from "../wire.js";
import { COLOURS, labelsOf, seriesOf, valueAt } from "./data.js";

const BAR = 18;
const GAP = 14;

export interface Drawing {
  width: number;
  rtl: boolean;
  active: number;
  onActive(at: number): void;
}

/** How high bars for this data are. */
export function barsHeight(chart: ChartData): number {
  const series = seriesOf(chart);
  return Math.max(1, labelsOf(series).length) * (BAR * series.length + GAP);
}

export function bars(chart: ChartData, format: Format, { width, rtl, active, onActive }: Drawing): SVGTemplateResult {
  const series = seriesOf(chart);
  const labels = labelsOf(series);
  const gutter = Math.min(150, Math.round(width * 0.32));
  const figures = 92;
  const group = BAR * series.length + GAP;
  const values = series.flatMap(({ points }) => points.map(([, y]) => Math.abs(Number(y)) || 0));
  const largest = Math.max(...values, 0) || 1;
  const x = (from: number, length = 0) => (rtl ? width - from - length : from);
  const anchor = rtl ? "end" : "start";
  return svg`${labels.map((label, row) => {
    const middle = row * group + group / 2;
    return svg`<g class=${row === active ? "mark active" : "mark"} @pointerenter=${() => onActive(row)}>
      <rect class="hit" x="0" y=${row * group} width=${width} height=${group}></rect>
      <text class="label" x=${x(0)} y=${middle + 4} text-anchor=${anchor}>${clip(format.point(label), Math.floor(gutter / 7.2))}</text>
      ${series.map((one, at) => {
        const y = valueAt(one, label);
        if (y === null) return nothing;
        const top = row * group + GAP / 2 + at * BAR;
        const length = y === 0 ? 0 : Math.max(3, (Math.abs(y) / largest) * (width - gutter - figures));
        return svg`<rect class="colour-${at % COLOURS} ${y < 0 ? "negative" : ""}" x=${x(gutter, length)} y=${top + 2} width=${length} height=${BAR - 4} rx="4"></rect>
          <text class="figure-text" x=${x(gutter + length + 8)} y=${top + BAR / 2 + 4} text-anchor=${anchor}>${format.measure(y, chart.unit)}</text>`;
      })}
    </g>`;
  })}`;
}

export function clip(words: string, length: number): string {
  const points = [...words];
  return points.length > length ? `${points.slice(0, Math.max(1, length - 1)).join("")}…` : words;
}

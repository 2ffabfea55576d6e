/** Parts of a whole as a ring. */

import { type SVGTemplateResult, svg } from "lit";
import type { Format } from "../text/format.js";
import type { ChartData } from "../wire.js";
import type { Drawing } from "./bars.js";
import { COLOURS, type Slice } from "./data.js";

export const DONUT = 200;
const WIDTH = 24;

export function donut(
  chart: ChartData,
  slices: Slice[],
  format: Format,
  { active, onActive }: Drawing,
): SVGTemplateResult {
  const middle = DONUT / 2;
  const radius = middle - WIDTH / 2 - 4;
  const around = 2 * Math.PI * radius;
  const total = slices.reduce((sum, { value }) => sum + value, 0);
  const chosen = slices[active];
  let turned = 0;
  const parts = slices.map(({ value }, at) => {
    const length = total ? (value / total) * around : 0;
    const part = svg`<circle class="ring stroke-${at % COLOURS} ${at === active ? "active" : ""}" cx=${middle} cy=${middle} r=${radius}
      stroke-width=${at === active ? WIDTH + 6 : WIDTH} stroke-dasharray="${Math.max(0, length - 2)} ${around}" stroke-dashoffset=${-turned}
      transform="rotate(-90 ${middle} ${middle})" @pointerenter=${() => onActive(at)}></circle>`;
    turned += length;
    return part;
  });
  return svg`${parts}
    <text class="total" x=${middle} y=${middle + (chosen ? -2 : 7)} text-anchor="middle">${format.short(chosen ? chosen.value : total, chart.unit)}</text>
    ${chosen ? svg`<text class="axis" x=${middle} y=${middle + 18} text-anchor="middle">${format.share(total ? chosen.value / total : 0)}</text>` : ""}`;
}

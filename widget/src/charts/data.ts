/** The data of a chart as every picture of it needs it: labels, values by series, the table, and CSV. */

import type { Format } from "../text/format.js";
import type { ChartData, Series } from "../wire.js";

export const COLOURS = 6;

export interface Slice {
  name: string;
  value: number;
}

/** The series that have points. */
export function seriesOf({ series }: ChartData): Series[] {
  return series.filter(({ points }) => points.length > 0);
}

/** Every label once, in the order of the data. */
export function labelsOf(series: Series[]): (string | number)[] {
  return [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))];
}

/** The value of a series at a label; null where it has none. */
export function valueAt({ points }: Series, label: string | number): number | null {
  const point = points.find(([x]) => x === label);
  const value = point ? Number(point[1]) : Number.NaN;
  return Number.isFinite(value) ? value : null;
}

/** The first series as parts of a whole; beyond five the rest is one part. */
export function slicesOf(series: Series[], format: Format, other: string): Slice[] {
  const all = (series[0]?.points ?? [])
    .map(([x, y]) => ({ name: format.point(x), value: Math.abs(Number(y)) || 0 }))
    .sort((a, b) => b.value - a.value);
  if (all.length <= COLOURS) return all;
  const rest = all.slice(COLOURS - 1).reduce((sum, { value }) => sum + value, 0);
  return [...all.slice(0, COLOURS - 1), { name: other, value: rest }];
}

/** Headings and rows: a label, then each series' value as people read it. */
export function tableOf(chart: ChartData, format: Format): { head: string[]; rows: string[][] } {
  const series = seriesOf(chart);
  const rows = labelsOf(series).map((label) => [
    format.point(label),
    ...series.map((one) => {
      const point = one.points.find(([x]) => x === label);
      return point ? format.measure(point[1], chart.unit) : "";
    }),
  ]);
  return { head: series.map(({ name }) => name), rows };
}

/** The exact data as CSV (RFC 4180). A cell that a spreadsheet would run as a formula is kept from it by an apostrophe. */
export function csvOf(chart: ChartData, label: string): string {
  const series = seriesOf(chart);
  const head = [label, ...series.map(({ name }) => (chart.unit ? `${name} (${chart.unit})` : name))];
  const rows = labelsOf(series).map((x) => [
    String(x),
    ...series.map(({ points }) => String(points.find(([at]) => at === x)?.[1] ?? "")),
  ]);
  return `${[head, ...rows].map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

function cell(text: string): string {
  const safe = /^[=+@\t\r]|^-(?![\d.])/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

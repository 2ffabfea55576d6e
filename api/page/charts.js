/** Charts as inline SVG, drawn for the width they get, each with its data as a table. Colours come from the style sheet. */

import { el, svg, table } from "./dom.js";
import { measure, pointLabel, shortMeasure } from "./values.js";

const COLOURS = 6;
const BAR = 18;

/** A figure for a `chart` event `{kind, title, unit, series: [{name, points: [[x, y]]}]}`. */
export function chartFigure(chart) {
  const draw = { bar: bars, donut, line }[chart.kind] ?? bars;
  const canvas = el("div", { class: "canvas" });
  const series = chart.series.filter((one) => one.points.length);
  const redraw = (width) => canvas.replaceChildren(draw(series, chart, Math.max(240, Math.round(width))));
  let drawn = 0;
  new ResizeObserver(([entry]) => {
    const width = Math.round(entry.contentRect.width);
    if (width && width !== drawn) redraw((drawn = width));
  }).observe(canvas);
  const legend = series.length > 1 || chart.kind === "donut" ? legendOf(chart, series) : null;
  return el("figure", { class: `chart chart-${draw.name}` }, el("figcaption", {}, chart.title),
    el("div", { class: "plot" }, canvas, legend), dataTable(chart, series));
}

function legendOf(chart, series) {
  const names = chart.kind === "donut" ? slices(series).map(({ name }) => name) : series.map(({ name }) => name);
  return el("ul", { class: "legend", "aria-hidden": "true" },
    ...names.map((name, at) => el("li", { class: `colour-${at % COLOURS}` }, el("span", {}, name))));
}

function dataTable(chart, series) {
  const labels = labelsOf(series);
  const rows = labels.map((x) => [pointLabel(x), ...series.map(({ points }) => {
    const point = points.find(([label]) => label === x);
    return point ? measure(point[1], chart.unit) : "";
  })]);
  const headings = ["", ...series.map(({ name }) => name)];
  return el("details", { class: "data" }, el("summary", {}, "Data"), el("div", { class: "wide" }, table(headings, rows)));
}

function labelsOf(series) {
  return [...new Set(series.flatMap(({ points }) => points.map(([x]) => x)))];
}

function frame(width, height, title) {
  return svg("svg", { width, height, viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": `${title}, see Data` });
}

function text(x, y, words, kind, anchor = "start") {
  return svg("text", { x, y, class: kind, "text-anchor": anchor }, words);
}

function clip(words, length) {
  return words.length > length ? `${words.slice(0, length - 1)}…` : words;
}

function bars(series, { title, unit }, width) {
  const labels = labelsOf(series);
  const gutter = Math.min(150, Math.round(width * 0.32));
  const figures = 84;
  const group = BAR * series.length + 14;
  const largest = Math.max(...series.flatMap(({ points }) => points.map(([, y]) => Math.abs(y))), 0) || 1;
  const root = frame(width, Math.max(1, labels.length) * group, title);
  labels.forEach((label, row) => {
    const middle = row * group + group / 2;
    root.append(text(0, middle + 4, clip(pointLabel(label), Math.floor(gutter / 7.4)), "label"));
    series.forEach(({ points }, at) => {
      const y = points.find(([x]) => x === label)?.[1];
      if (y === undefined) return;
      const top = row * group + 7 + at * BAR;
      const length = y === 0 ? 0 : Math.max(2, (Math.abs(y) / largest) * (width - gutter - figures));
      root.append(
        svg("rect", { x: gutter, y: top + 2, width: length, height: BAR - 4, rx: 4, class: `colour-${at % COLOURS}` }),
        text(gutter + length + 8, top + BAR / 2 + 4, measure(y, unit), "figure"));
    });
  });
  return root;
}

function slices(series) {
  const all = (series[0]?.points ?? []).map(([x, y]) => ({ name: pointLabel(x), value: Math.abs(y) }));
  if (all.length <= COLOURS) return all;
  const rest = all.slice(COLOURS - 1).reduce((sum, { value }) => sum + value, 0);
  return [...all.slice(0, COLOURS - 1), { name: "Other", value: rest }];
}

function donut(series, { title, unit }, width) {
  const size = Math.min(width, 200);
  const radius = size / 2 - 16;
  const around = 2 * Math.PI * radius;
  const parts = slices(series);
  const total = parts.reduce((sum, { value }) => sum + value, 0);
  const root = frame(size, size, title);
  let turned = 0;
  parts.forEach(({ value }, at) => {
    const length = total ? (value / total) * around : 0;
    root.append(svg("circle", {
      cx: size / 2, cy: size / 2, r: radius, class: `ring stroke-${at % COLOURS}`, "stroke-width": 26,
      "stroke-dasharray": `${Math.max(0, length - 2)} ${around}`, "stroke-dashoffset": -turned,
      transform: `rotate(-90 ${size / 2} ${size / 2})`,
    }));
    turned += length;
  });
  root.append(text(size / 2, size / 2 + 6, shortMeasure(total, unit), "total", "middle"));
  return root;
}

/** Three to six round numbers that span `low` to `high`. */
function ticksFor(low, high) {
  const rough = (high - low) / 4 || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= rough);
  const first = Math.floor(low / step);
  const last = Math.max(first + 1, Math.ceil(high / step));
  return Array.from({ length: last - first + 1 }, (_, at) => (first + at) * step);
}

function line(series, { title, unit }, width) {
  const labels = labelsOf(series);
  const room = Math.min(110, 7 * Math.max(...labels.map((x) => pointLabel(x).length), 1) + 14); // of a label below
  const [height, left, bottom, top, right] = [210, 56, 26, 12, Math.max(14, room / 2)];
  const values = series.flatMap(({ points }) => points.map(([, y]) => y));
  const ticks = ticksFor(Math.min(0, ...values), Math.max(0, ...values));
  const [low, high] = [ticks[0], ticks.at(-1)];
  const across = (x) => left + (labels.length < 2 ? 0.5 : labels.indexOf(x) / (labels.length - 1)) * (width - left - right);
  const up = (y) => top + (1 - (y - low) / (high - low)) * (height - top - bottom);
  const root = frame(width, height, title);
  for (const y of ticks) {
    root.append(svg("line", { x1: left, x2: width - right, y1: up(y), y2: up(y), class: "grid" }),
      text(left - 8, up(y) + 4, shortMeasure(y, unit), "axis", "end"));
  }
  const every = Math.ceil((room * Math.max(1, labels.length - 1)) / (width - left - right));
  labels.forEach((x, at) => {
    if (at % every === 0) root.append(text(across(x), height - 6, clip(pointLabel(x), 14), "axis", "middle"));
  });
  series.forEach(({ points }, at) => {
    const path = points.map(([x, y], step) => `${step ? "L" : "M"}${across(x).toFixed(1)} ${up(y).toFixed(1)}`).join("");
    root.append(svg("path", { d: path, class: `trend stroke-${at % COLOURS}` }));
    if (points.length <= 24) {
      root.append(...points.map(([x, y]) => svg("circle", { cx: across(x), cy: up(y), r: 3, class: `colour-${at % COLOURS}` })));
    }
  });
  return root;
}

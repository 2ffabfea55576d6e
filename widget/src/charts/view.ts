/** A chart with its tooltip, its keys, its table and its CSV. */

import { html, nothing, type PropertyValues, svg, type TemplateResult } from "lit";
import { icon } from "../ui/icons.js";
import { View } from "../ui/view.js";
import type { ChartData } from "../wire.js";
import { bars, barsHeight, type Drawing } from "./bars.js";
import { COLOURS, csvOf, labelsOf, seriesOf, slicesOf, tableOf, valueAt } from "./data.js";
import { DONUT, donut } from "./donut.js";
import type { Drawn } from "./trend.js";

export class ChartView extends View {
  static override properties = {
    ...View.properties,
    chart: { attribute: false },
    width: { state: true },
    active: { state: true },
    asTable: { state: true },
    copied: { state: true },
    told: { state: true },
  };
  declare chart: ChartData;
  declare width: number;
  declare active: number;
  declare asTable: boolean;
  declare copied: boolean;
  declare told: boolean;
  #trend: Drawn | null = null;
  #drawing = "";
  readonly #sized = new ResizeObserver(([entry]) => {
    const width = Math.round(entry?.contentRect.width ?? 0);
    if (width) this.width = Math.max(220, width);
  });

  constructor() {
    super();
    this.width = 0;
    this.active = -1;
    this.asTable = false;
    this.copied = false;
    this.told = false;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.#sized.disconnect();
    this.#endTrend();
  }

  get #kind(): "bar" | "donut" | "line" {
    return this.chart.kind === "donut" || this.chart.kind === "line" ? this.chart.kind : "bar";
  }

  get #rtl(): boolean {
    return getComputedStyle(this).direction === "rtl";
  }

  /** The words for each place that the arrow keys reach. */
  get #places(): string[] {
    const { format, t } = this.app;
    const series = seriesOf(this.chart);
    if (this.#kind === "donut") {
      const slices = slicesOf(series, format, t("otherPart"));
      const total = slices.reduce((sum, { value }) => sum + value, 0) || 1;
      return slices.map(
        ({ name, value }) =>
          `${name}: ${format.measure(value, this.chart.unit)}, ${t("ofTotal", { share: format.share(value / total) })}`,
      );
    }
    return labelsOf(series).map((label) => {
      const values = series.flatMap((one) => {
        const value = valueAt(one, label);
        if (value === null) return [];
        const text = format.measure(value, this.chart.unit);
        return [series.length > 1 ? `${one.name} ${text}` : text];
      });
      return `${format.point(label)}: ${values.join(", ")}`;
    });
  }

  protected override render(): TemplateResult {
    const { t } = this.app;
    const { chart } = this;
    const tip = this.#places[this.active];
    return html`<figure class="chart chart-${this.#kind}" part="chart">
      <figcaption><span dir="auto">${chart.title}</span>
        <span class="chart-tools">
          <button type="button" class="quiet" aria-pressed=${this.asTable ? "true" : "false"} @click=${() => this.#turn()}>${t("table")}</button>
          <button type="button" class="quiet" @click=${this.#copy}>${icon(this.copied ? "check" : "copy")}<span>${t(this.copied ? "copied" : "copyCsv")}</span></button>
        </span></figcaption>
      ${this.asTable ? this.#table() : this.#plot()}
      ${this.asTable ? nothing : html`<p class="tip ${tip ? "" : "idle"}" aria-live=${this.told ? "polite" : "off"}>${tip ?? ""}</p>`}
    </figure>`;
  }

  #plot(): TemplateResult {
    const { t } = this.app;
    const { chart } = this;
    return html`<div class="plot" tabindex="0" role="group" aria-label=${t("chartHelp", { title: chart.title })}
        @keydown=${this.#key} @pointerleave=${() => this.#leave()} @blur=${() => this.#leave()}>
      <div class="canvas">${this.#kind === "line" ? nothing : this.#drawn()}</div>
      ${this.#legend()}
    </div>`;
  }

  #drawn(): TemplateResult | typeof nothing {
    const { format, t } = this.app;
    const { chart, width, active } = this;
    if (!width) return nothing;
    const drawing: Drawing = { width, rtl: this.#rtl, active, onActive: (at) => (this.active = at) };
    if (this.#kind === "donut") {
      const slices = slicesOf(seriesOf(chart), format, t("otherPart"));
      return html`<svg width=${DONUT} height=${DONUT} viewBox="0 0 ${DONUT} ${DONUT}" role="img" aria-label=${chart.title}>${donut(chart, slices, format, drawing)}</svg>`;
    }
    const height = barsHeight(chart);
    return html`<svg width=${width} height=${height} viewBox="0 0 ${width} ${height}" role="img" aria-label=${chart.title}>${svg`${bars(chart, format, drawing)}`}</svg>`;
  }

  #legend(): TemplateResult | typeof nothing {
    const { format, t } = this.app;
    const series = seriesOf(this.chart);
    const ring = this.#kind === "donut";
    if (!ring && series.length < 2) return nothing;
    const rows = ring
      ? slicesOf(series, format, t("otherPart")).map(({ name, value }) => [
          name,
          format.measure(value, this.chart.unit),
        ])
      : series.map(({ name }) => [name, ""]);
    return html`<ul class="legend">${rows.map(
      ([name, value], at) =>
        html`<li class="key-${at % COLOURS} ${ring && at === this.active ? "active" : ""}"><span dir="auto">${name}</span> <b>${value}</b></li>`,
    )}</ul>`;
  }

  #table(): TemplateResult {
    const { head, rows } = tableOf(this.chart, this.app.format);
    const { t } = this.app;
    return html`<div class="wide" tabindex="0" role="group" aria-label=${this.chart.title}><table>
      <thead><tr><th scope="col">${t("label")}</th>${head.map((name) => html`<th scope="col" class="number" dir="auto">${name}</th>`)}</tr></thead>
      <tbody>${rows.map(
        ([first, ...rest]) =>
          html`<tr><th scope="row" dir="auto">${first}</th>${rest.map((value) => html`<td class="number">${value}</td>`)}</tr>`,
      )}</tbody></table></div>`;
  }

  protected override updated(changed: PropertyValues): void {
    const canvas = this.querySelector<HTMLElement>(".canvas");
    if (!canvas) {
      this.#endTrend();
      return;
    }
    this.#sized.observe(canvas);
    if (this.#kind !== "line" || !this.width) return;
    const look = `${this.app.format.locale} ${this.#rtl} ${getComputedStyle(this).colorScheme} ${getComputedStyle(canvas).color}`;
    if (!this.#trend || look !== this.#drawing || changed.has("chart")) void this.#drawTrend(canvas, look);
    else if (changed.has("width")) this.#trend.resize(this.width);
  }

  /** Draws the trend; where its code does not load, the table says the same. */
  async #drawTrend(canvas: HTMLElement, look: string): Promise<void> {
    if (this.#drawing === look && !this.#trend) return; // on its way
    this.#drawing = look;
    const { chart } = this;
    const { format } = this.app;
    const series = seriesOf(chart);
    const labels = labelsOf(series);
    const style = getComputedStyle(canvas);
    try {
      const { draw, css } = await import("./trend.js");
      if (!canvas.isConnected || this.#drawing !== look) return;
      adopt(this.getRootNode(), css);
      this.#trend?.destroy();
      this.#trend = draw(canvas, this.width, {
        labels: labels.map((label) => format.point(label)),
        series: series.map((one, at) => ({
          name: one.name,
          values: labels.map((label) => valueAt(one, label)),
          colour: paint(canvas, `--chart-${(at % COLOURS) + 1}`),
        })),
        axis: (value) => format.short(value, chart.unit),
        ink: style.color,
        grid: paint(canvas, "--line"),
        font: style.fontFamily,
        rtl: this.#rtl,
        onActive: (at) => (this.active = at),
      });
    } catch {
      this.asTable = true;
    }
  }

  #endTrend(): void {
    this.#trend?.destroy();
    this.#trend = null;
    this.#drawing = "";
  }

  #turn(): void {
    this.#endTrend();
    this.asTable = !this.asTable;
  }

  #leave(): void {
    this.active = -1;
    this.told = false;
  }

  #key(event: KeyboardEvent): void {
    const count = this.#places.length;
    if (!count) return;
    const ahead = this.#rtl ? "ArrowLeft" : "ArrowRight";
    const back = this.#rtl ? "ArrowRight" : "ArrowLeft";
    const to = {
      [ahead]: Math.min(count - 1, this.active + 1),
      ArrowDown: Math.min(count - 1, this.active + 1),
      [back]: Math.max(0, this.active - 1),
      ArrowUp: Math.max(0, this.active - 1),
      Home: 0,
      End: count - 1,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    this.told = true;
    this.active = to;
    this.#trend?.select(to);
  }

  async #copy(): Promise<void> {
    this.copied = await this.app.copy(csvOf(this.chart, this.app.t("label")));
    if (this.copied) setTimeout(() => (this.copied = false), 2000);
  }
}

/** A colour of the theme as the browser has worked it out: canvas knows no variables and no light-dark(). */
function paint(near: HTMLElement, variable: string): string {
  const probe = document.createElement("span");
  probe.style.setProperty("color", `var(${variable})`);
  near.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

function adopt(root: Node, css: string): void {
  if (!(root instanceof ShadowRoot) || root.adoptedStyleSheets.some((sheet) => sheetsOf.get(sheet) === css)) return;
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  sheetsOf.set(sheet, css);
  root.adoptedStyleSheets.push(sheet);
}

const sheetsOf = new WeakMap<CSSStyleSheet, string>();

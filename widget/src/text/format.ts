/** Writes money, figures, days and times for people, as their language has them. */

import type { Money } from "../wire.js";

const ISO_DAY = /^\d{4}-\d{2}-\d{2}$/;
const ISO_MONTH = /^(\d{4})-(\d{2})$/;
const DECIMAL = /^-?\d+(\.\d+)?$/;

export function isCurrency(unit: unknown): unit is string {
  return typeof unit === "string" && /^[A-Z]{3}$/.test(unit);
}

/** Minor units as exact decimal text in major units: (123456, 2) is "1234.56". */
export function decimalText(minor: number, digits: number): string {
  const sign = minor < 0 ? "-" : "";
  const text = String(Math.abs(minor)).padStart(digits + 1, "0");
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** The words that values without a spelling of their own are shown as. */
export interface Words {
  none: string;
  yes: string;
  no: string;
  justNow: string;
  soon: string;
}

export class Format {
  readonly #numbers = new Map<string, Intl.NumberFormat>();

  constructor(
    readonly locale: string,
    private readonly words: Words,
  ) {}

  #number(options: Intl.NumberFormatOptions): Intl.NumberFormat {
    const key = JSON.stringify(options);
    let found = this.#numbers.get(key);
    if (!found) {
      found = new Intl.NumberFormat(this.locale, options);
      this.#numbers.set(key, found);
    }
    return found;
  }

  /** Exact: decimal text goes to Intl as it is, so no amount passes through a float. */
  #exact(format: Intl.NumberFormat, decimal: string): string {
    return format.format(decimal as unknown as number);
  }

  #currency(currency: string): Intl.NumberFormat {
    return this.#number({ style: "currency", currency });
  }

  /** The currency decides the decimals: none for JPY, three for KWD. */
  money({ minor, currency }: Money): string {
    if (!isCurrency(currency)) return `${minor} ${currency}`;
    const format = this.#currency(currency);
    return this.#exact(format, decimalText(minor, format.resolvedOptions().maximumFractionDigits ?? 2));
  }

  /** The same in major units as a number, for drawing only. */
  major({ minor, currency }: Money): number {
    const digits = isCurrency(currency) ? (this.#currency(currency).resolvedOptions().maximumFractionDigits ?? 2) : 0;
    return Number(decimalText(minor, digits));
  }

  /** A value with a unit: a currency code (major units), "percent", "count", "days", "date", or any other word. */
  measure(value: string | number, unit = ""): string {
    const text = String(value);
    if (unit === "date" || ISO_DAY.test(text)) return this.day(text);
    if (!DECIMAL.test(text) && !(typeof value === "number" && Number.isFinite(value))) return text;
    if (isCurrency(unit)) return this.#exact(this.#currency(unit), text);
    if (unit === "percent")
      return this.#exact(this.#number({ style: "unit", unit: "percent", maximumFractionDigits: 1 }), text);
    if (unit === "days") return this.#exact(this.#number({ style: "unit", unit: "day", unitDisplay: "long" }), text);
    const number = this.#exact(this.#number({ maximumFractionDigits: 2 }), text);
    return unit === "" || unit === "count" ? number : `${number} ${unit}`;
  }

  /** A value in few characters, for the axis of a chart. */
  short(value: number, unit: string): string {
    const style = isCurrency(unit) ? { style: "currency" as const, currency: unit } : {};
    return this.#number({ ...style, notation: "compact", maximumFractionDigits: 1, minimumFractionDigits: 0 }).format(
      value,
    );
  }

  share(part: number): string {
    return this.#number({ style: "percent", maximumFractionDigits: 0 }).format(part);
  }

  count(value: number): string {
    return this.#number({}).format(value);
  }

  #date(options: Intl.DateTimeFormatOptions, instant: Date): string {
    return new Intl.DateTimeFormat(this.locale, options).format(instant);
  }

  /** An ISO date as "Nov 3, 2026". What is no date stays as it is. */
  day(iso: string): string {
    if (!ISO_DAY.test(iso)) return iso;
    return this.#date({ dateStyle: "medium", timeZone: "UTC" }, new Date(`${iso}T00:00Z`));
  }

  month(iso: string, length: "short" | "long" = "long"): string {
    const month = ISO_MONTH.exec(iso);
    if (!month) return iso;
    const first = new Date(Date.UTC(Number(month[1]), Number(month[2]) - 1, 1));
    return this.#date({ month: length, year: "numeric", timeZone: "UTC" }, first);
  }

  /** The label of a point of a chart: an ISO month or day in words, anything else unchanged. */
  point(x: string | number): string {
    return ISO_MONTH.test(String(x)) ? this.month(String(x), "short") : this.day(String(x));
  }

  /** A time of day, of an ISO instant. */
  time(instant: string): string {
    return this.#date({ timeStyle: "short" }, new Date(instant));
  }

  /** The day of an instant, as a heading between messages. */
  heading(instant: string, now = Date.now()): string {
    const days = dayNumber(new Date(instant)) - dayNumber(new Date(now));
    if (days > -2 && days < 2) {
      const text = new Intl.RelativeTimeFormat(this.locale, { numeric: "auto" }).format(days, "day");
      return text.charAt(0).toLocaleUpperCase(this.locale) + text.slice(1);
    }
    return this.#date({ weekday: "long", day: "numeric", month: "long" }, new Date(instant));
  }

  full(instant: string): string {
    return this.#date({ dateStyle: "medium", timeStyle: "short" }, new Date(instant));
  }

  /** How far away an instant is: "in 3 hours", "2 days ago". */
  distance(instant: string, now = Date.now()): string {
    const seconds = (new Date(instant).getTime() - now) / 1000;
    const format = new Intl.RelativeTimeFormat(this.locale, { numeric: "auto" });
    for (const [unit, least, length] of [
      ["day", 2 * 86400, 86400],
      ["hour", 3600, 3600],
      ["minute", 60, 60],
    ] as const) {
      if (Math.abs(seconds) >= least) return format.format(Math.round(seconds / length), unit);
    }
    return seconds > 0 ? this.words.soon : this.words.justNow;
  }

  /** A value of a diff: money, text, a date, yes or no, several of them, or nothing. */
  shown(value: unknown): string {
    if (value === null || value === undefined || value === "") return this.words.none;
    if (typeof value === "boolean") return value ? this.words.yes : this.words.no;
    if (Array.isArray(value)) return value.map((one) => this.shown(one)).join(", ");
    if (typeof value === "object") {
      if ("minor" in value && "currency" in value) return this.money(value as Money);
      return Object.values(value)
        .map((one) => this.shown(one))
        .join(" ");
    }
    const text = String(value);
    return ISO_MONTH.test(text) ? this.month(text) : this.day(text);
  }
}

function dayNumber(date: Date): number {
  return Math.round(new Date(date.getFullYear(), date.getMonth(), date.getDate(), 12).getTime() / 86_400_000);
}

/** Writes money, facts and dates for people, in the language the page is written in. */

const LANGUAGE = document.documentElement.lang || "en";
const ISO_DAY = /^\d{4}-\d{2}-\d{2}$/;
const ISO_MONTH = /^(\d{4})-(\d{2})$/;
const currencies = new Map();

function currencyFormat(currency) {
  if (!currencies.has(currency)) {
    currencies.set(currency, new Intl.NumberFormat(LANGUAGE, { style: "currency", currency }));
  }
  return currencies.get(currency);
}

function isCurrency(unit) {
  return typeof unit === "string" && /^[A-Z]{3}$/.test(unit);
}

/** Minor units as exact decimal text in major units: (123456, 2) is "1234.56". */
export function decimalText(minor, digits) {
  const sign = minor < 0 ? "-" : "";
  const text = String(Math.abs(minor)).padStart(digits + 1, "0");
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/** `{minor, currency}` as people write it; the currency decides the decimals (none for JPY, three for KWD). */
export function money({ minor, currency }) {
  if (!isCurrency(currency)) return `${minor} ${currency}`;
  const format = currencyFormat(currency);
  return format.format(decimalText(minor, format.resolvedOptions().maximumFractionDigits));
}

/** A number with a unit: a currency code (major units), "percent", "count", "days", "date", or any other word. */
export function measure(value, unit = "") {
  if (isCurrency(unit)) return currencyFormat(unit).format(value);
  if (unit === "date" || (typeof value === "string" && ISO_DAY.test(value))) return day(value);
  const number = Number(value);
  if (value === "" || Number.isNaN(number)) return String(value);
  const text = new Intl.NumberFormat(LANGUAGE, { maximumFractionDigits: 2 }).format(number);
  if (unit === "percent") return `${text}%`;
  return unit === "" || unit === "count" ? text : `${text} ${unit}`;
}

/** A currency amount in few characters, for the axis of a chart. */
export function shortMeasure(value, unit) {
  const style = isCurrency(unit) ? { style: "currency", currency: unit } : {};
  return new Intl.NumberFormat(LANGUAGE, {
    ...style, notation: "compact", maximumFractionDigits: 1, minimumFractionDigits: 0,
  }).format(value);
}

/** An ISO date as "Nov 3, 2026". What is no date stays as it is. */
export function day(iso) {
  if (!ISO_DAY.test(String(iso))) return String(iso);
  return new Intl.DateTimeFormat(LANGUAGE, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(`${iso}T00:00Z`));
}

/** The label of a point: an ISO month as "Nov 2026", a date as `day`, anything else unchanged. */
export function pointLabel(x) {
  const month = ISO_MONTH.exec(String(x));
  if (!month) return day(x);
  const first = new Date(Date.UTC(Number(month[1]), Number(month[2]) - 1, 1));
  return new Intl.DateTimeFormat(LANGUAGE, { month: "short", year: "numeric", timeZone: "UTC" }).format(first);
}

/** A value of a diff: money, text, a date, yes or no, several of them, or nothing. */
export function shown(value) {
  if (value === null || value === undefined || value === "") return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map(shown).join(", ");
  if (typeof value === "object") return "minor" in value ? money(value) : Object.values(value).map(shown).join(" ");
  return day(value);
}

/** How far away an instant is: "in 3 hours", "2 days ago". */
export function distance(instant, now = Date.now()) {
  const seconds = (new Date(instant).getTime() - now) / 1000;
  const format = new Intl.RelativeTimeFormat(LANGUAGE, { numeric: "auto" });
  for (const [unit, least, length] of [["day", 2 * 86400, 86400], ["hour", 3600, 3600], ["minute", 60, 60]]) {
    if (Math.abs(seconds) >= least) return format.format(Math.round(seconds / length), unit);
  }
  return seconds > 0 ? "in less than a minute" : "just now";
}

/** A whole number with separators. */
export function count(value) {
  return new Intl.NumberFormat(LANGUAGE).format(value);
}

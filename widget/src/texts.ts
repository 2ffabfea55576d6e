/** The widget's words in the reader's language: the ones that come with it, and what the host page puts in their place. */

import { en, type Key, type Plural, type Strings } from "./lang/en.js";

/** Languages besides English, loaded when they are wanted. */
const LANGUAGES: Record<string, () => Promise<{ strings: Strings }>> = {
  de: () => import("./lang/de.js"),
  ar: () => import("./lang/ar.js"),
};
const RIGHT_TO_LEFT = new Set(["ar", "dv", "fa", "he", "ps", "sd", "ug", "ur", "yi"]);

export class Texts {
  readonly #rules: Intl.PluralRules;

  constructor(
    readonly locale: string,
    private readonly strings: Strings,
  ) {
    this.#rules = new Intl.PluralRules(locale);
  }

  /** The words for `key`, with `{name}` filled in; of a plural the form for `values.n`. */
  t = (key: Key, values: Record<string, string | number> = {}): string => {
    const entry: string | Plural = this.strings[key];
    const words = typeof entry === "string" ? entry : (entry[this.#rules.select(Number(values.n))] ?? entry.other);
    return words.replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name];
      return typeof value === "number" ? new Intl.NumberFormat(this.locale).format(value) : (value ?? "");
    });
  };
}

/** A locale that Intl takes: the wanted one, or English. */
export function localeOf(wanted: string): string {
  try {
    return Intl.getCanonicalLocales(wanted)[0] ?? "en";
  } catch {
    return "en";
  }
}

export function directionOf(locale: string): "ltr" | "rtl" {
  return RIGHT_TO_LEFT.has(locale.split("-")[0] ?? "") ? "rtl" : "ltr";
}

/** The words for a locale; a language that is not there, or cannot be loaded, is English with the numbers of `locale`. */
export async function load(locale: string, own: Partial<Strings> = {}): Promise<Texts> {
  const language = LANGUAGES[locale.split("-")[0] ?? ""];
  const strings = language
    ? await language().then(
        ({ strings: found }) => found,
        () => en,
      )
    : en;
  return new Texts(locale, { ...strings, ...own });
}

export const english = new Texts("en", en);

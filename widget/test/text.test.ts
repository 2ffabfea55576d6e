import assert from "node:assert/strict";
import { test } from "node:test";
import { csvOf, slicesOf } from "../src/charts/data.js";
import { shifted } from "../src/panels/month.js";
import { byThing, isNew } from "../src/text/diff.js";
import { marked, pieces, plain } from "../src/text/figures.js";
import { decimalText, Format } from "../src/text/format.js";

const WORDS = { none: "none", yes: "yes", no: "no", justNow: "just now", soon: "soon" };
const english = new Format("en-US", WORDS);
const spaced = (text: string) => text.replaceAll("\u00a0", " ");

test("money has the decimals of its currency, exactly", () => {
  const amounts: [string, number, string][] = [
    ["$1,234.56", 123456, "USD"],
    ["-$0.05", -5, "USD"],
    ["¥500", 500, "JPY"],
    ["KWD 1.234", 1234, "KWD"],
    ["€90,071,992,547,409.91", Number.MAX_SAFE_INTEGER, "EUR"],
  ];
  for (const [text, minor, currency] of amounts) assert.equal(spaced(english.money({ minor, currency })), text);
  assert.equal(decimalText(-7, 3), "-0.007");
});

test("a language writes money, days and months its own way", () => {
  const german = new Format("de-DE", WORDS);
  assert.equal(spaced(german.money({ minor: 123456, currency: "EUR" })), "1.234,56 €");
  assert.equal(german.month("2026-10"), "Oktober 2026");
  assert.equal(german.day("2026-11-03"), "03.11.2026");
});

test("a measure follows its unit, and what is no number stays as it is", () => {
  assert.equal(english.measure("412.30", "USD"), "$412.30");
  assert.equal(english.measure("12.5", "percent"), "12.5%");
  assert.equal(english.measure("3", "days"), "3 days");
  assert.equal(english.measure("2026-11-03", "date"), "Nov 3, 2026");
  assert.equal(english.measure("<b>", "USD"), "<b>");
});

test("a value of a diff is told in words", () => {
  assert.equal(english.shown(null), "none");
  assert.equal(english.shown(true), "yes");
  assert.equal(english.shown(["a", { minor: 100, currency: "USD" }]), "a, $1.00");
  assert.equal(english.shown({ name: "a", day: "2026-01-02" }), "a Jan 2, 2026");
});

test("figures are marked by code points, numbered in their order, and torn marks vanish", () => {
  const figures = [
    { start: 9, end: 11, text: "$9", verified: false },
    { start: 2, end: 4, text: "$5", verified: true },
    { start: 0, end: 3, text: "not this", verified: true },
  ];
  const done = marked("😀 $5 and $9 \uE000", figures);
  assert.deepEqual(
    done.figures.map(({ text }) => text),
    ["$5", "$9"],
  );
  assert.deepEqual(pieces(done.text), [
    { text: "😀 ", figure: null },
    { text: "$5", figure: 0 },
    { text: " and ", figure: null },
    { text: "$9", figure: 1 },
    { text: " \uFFFD", figure: null },
  ]);
  assert.deepEqual(pieces("\uE000\uE100half"), [{ text: "half", figure: null }]);
  assert.equal(plain(done.text), "😀 $5 and $9 \uFFFD");
});

test("lines of a diff stand with what they change; new things are known by their befores", () => {
  const line = (what: string, before: unknown) => ({ what, field: "f", before, after: 1 });
  const groups = byThing([line("a", null), line("a", null), line("b", 1), line("a", 2)]);
  assert.deepEqual(
    groups.map((group) => group.length),
    [2, 1, 1],
  );
  assert.deepEqual(groups.map(isNew), [true, false, false]);
});

test("CSV quotes what needs it and disarms formulas, but not negative numbers", () => {
  const series = [{ name: "=cmd()", points: [["a,b", -1] as [string, number], ["-x", 2] as [string, number]] }];
  const csv = csvOf({ kind: "bar", title: "", unit: "", series }, "Label");
  assert.equal(csv, `Label,'=cmd()\r\n"a,b",-1\r\n'-x,2\r\n`);
});

test("parts of a whole are sorted, and the tail is one part", () => {
  const points = [1, 2, 3, 4, 5, 6, 7].map((n) => [`c${n}`, n] as [string, number]);
  const slices = slicesOf([{ name: "s", points }], english, "Other");
  assert.deepEqual(
    slices.map(({ value }) => value),
    [7, 6, 5, 4, 3, 3],
  );
});

test("months go over the year's end", () => {
  assert.equal(shifted("2026-01", -1), "2025-12");
  assert.equal(shifted("2026-12", 1), "2027-01");
});

/** Marks the figures of a reply inside its Markdown, so that the marks survive parsing. */

import type { Figure } from "../wire.js";

const OPEN = "\uE000";
const CLOSE = "\uE001";
const FIRST = 0xe100; // the character after OPEN numbers the figure
const MOST = 0xe00;
const MARKS = /[\uE000-\uEFFF]/g;
const PIECES = /\uE000([\uE100-\uEFFF])([^\uE000-\uEFFF]*)\uE001/g;

/** Takes every mark out of a text. */
export function plain(text: string): string {
  return text.replace(MARKS, "");
}

/** The text with marks around its figures, and the figures by the number of their mark; those that do not fit are left out. */
export function marked(text: string, figures: Figure[]): { text: string; figures: Figure[] } {
  const points = [...text.replace(MARKS, "\uFFFD")]; // what we use as marks goes, and no offset changes
  const fitting: Figure[] = [];
  let end = 0;
  for (const figure of [...figures].sort((a, b) => a.start - b.start).slice(0, MOST)) {
    if (figure.start < end || figure.end <= figure.start || figure.text.includes("\n")) continue;
    if (points.slice(figure.start, figure.end).join("") !== figure.text) continue;
    fitting.push(figure);
    end = figure.end;
  }
  let out = "";
  let at = 0;
  fitting.forEach((figure, number) => {
    out += points.slice(at, figure.start).join("") + OPEN + String.fromCharCode(FIRST + number) + figure.text + CLOSE;
    at = figure.end;
  });
  return { text: out + points.slice(at).join(""), figures: fitting };
}

/** A piece of text; `figure` is the number of the figure that it is. */
export interface Piece {
  text: string;
  figure: number | null;
}

/** Text of a node cut into its pieces. A mark that Markdown tore apart disappears. */
export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let at = 0;
  for (const match of text.matchAll(PIECES)) {
    if (match.index > at) found.push({ text: plain(text.slice(at, match.index)), figure: null });
    found.push({ text: match[2] ?? "", figure: (match[1] ?? "").charCodeAt(0) - FIRST });
    at = match.index + match[0].length;
  }
  if (at < text.length) found.push({ text: plain(text.slice(at)), figure: null });
  return found.filter((piece) => piece.text !== "");
}

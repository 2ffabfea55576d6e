/**
 * A small Markdown for replies, built as DOM nodes: paragraphs, headings, lists, tables, quotes, code, bold, italic.
 * A reply may repeat text from a bank or a merchant, so nothing in it can act: HTML is text, a link is its words and its
 * target in plain sight, an image is never loaded.
 */

import { el } from "./dom.js";

const FENCE = /^ {0,3}(```+|~~~+)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*?)\s*#*$/;
const RULE = /^ {0,3}([-*_])(?:\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}>\s?(.*)$/;
const TABLE_RULE = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;
const FIGURE = /^[-+−]?\p{Sc}?\d[\d.,]*\s?[%\p{Sc}]?$/u;
const LINK = /!?\[([^\]\n]{0,500})\]\(\s*<?([^()\s<>]{0,2000})>?[^()\n]{0,500}\)/y;
const MARKS = [["**", "strong"], ["__", "strong"], ["~~", "s"], ["*", "em"], ["_", "em"]];
const MAX_DEPTH = 6;

/** Inline Markdown as nodes. */
export function inline(text, depth = 0) {
  const nodes = [];
  let plain = "";
  const flush = () => {
    if (plain) nodes.push(plain);
    plain = "";
  };
  for (let at = 0; at < text.length; ) {
    const found = special(text, at, depth);
    if (!found) {
      plain += text[at];
      at += 1;
    } else {
      if (typeof found.node === "string") plain += found.node;
      else {
        flush();
        nodes.push(...[found.node].flat());
      }
      at = found.end;
    }
  }
  flush();
  return nodes;
}

function special(text, at, depth) {
  const char = text[at];
  if (char === "\\" && /[!-/:-@[-`{-~]/.test(text[at + 1] ?? "")) return { node: text[at + 1], end: at + 2 };
  if (char === "\n") return { node: el("br"), end: at + 1 };
  if (char === "`") return codeSpan(text, at);
  if (char === "[" || (char === "!" && text[at + 1] === "[")) return link(text, at, depth);
  if ("*_~".includes(char) && depth < MAX_DEPTH) return emphasis(text, at, depth);
  return null;
}

function codeSpan(text, at) {
  const ticks = /`+/y;
  ticks.lastIndex = at;
  const mark = ticks.exec(text)[0];
  const close = text.indexOf(mark, at + mark.length);
  if (close < 0) return { node: mark, end: at + mark.length };
  return { node: el("code", {}, text.slice(at + mark.length, close).trim()), end: close + mark.length };
}

function link(text, at, depth) {
  LINK.lastIndex = at;
  const match = LINK.exec(text);
  if (!match) return null;
  const [whole, words, target] = match;
  const end = at + whole.length;
  if (words === target || !words) return { node: el("span", { class: "target" }, target), end };
  const label = depth < MAX_DEPTH ? inline(words, depth + 1) : [words];
  return { node: [...label, el("span", { class: "target" }, ` (${target})`)], end };
}

function emphasis(text, at, depth) {
  for (const [mark, tag] of MARKS) {
    if (!text.startsWith(mark, at)) continue;
    const start = at + mark.length;
    if (/\s|^$/.test(text[start] ?? "")) return { node: mark, end: start };
    if (mark[0] === "_" && /\w/.test(text[at - 1] ?? "")) return { node: mark, end: start };
    for (let close = text.indexOf(mark, start + 1); close > 0; close = text.indexOf(mark, close + mark.length)) {
      const after = text[close + mark.length] ?? "";
      if (/\s/.test(text[close - 1]) || (mark.length === 1 && after === mark)) continue;
      if (mark[0] === "_" && /\w/.test(after)) continue;
      return { node: el(tag, {}, ...inline(text.slice(start, close), depth + 1)), end: close + mark.length };
    }
    return { node: mark, end: start };
  }
  return null;
}

/** The text cut into the source of its blocks; a block's source alone decides how it looks. */
export function blocks(text) {
  const found = [];
  let lines = [];
  let fence = null;
  const flush = () => {
    if (lines.length) found.push(lines.join("\n"));
    lines = [];
  };
  for (const line of text.replace(/\r\n?/g, "\n").split("\n")) {
    const mark = FENCE.exec(line)?.[1];
    if (fence) {
      lines.push(line);
      if (mark?.startsWith(fence) && line.trim() === mark) {
        fence = null;
        flush();
      }
    } else if (mark) {
      flush();
      fence = mark;
      lines.push(line);
    } else if (line.trim() === "") {
      flush();
    } else {
      if (lines.length && kindOf(line, lines.at(-1)) !== kindOf(lines[0])) flush();
      lines.push(line);
      if (kindOf(lines[0]) === "heading") flush();
    }
  }
  flush();
  return found;
}

function kindOf(line, previous = "") {
  if (HEADING.test(line)) return "heading";
  if (RULE.test(line)) return "rule";
  if (ITEM.test(line) || (ITEM.test(previous) && /^\s/.test(line))) return "list";
  if (QUOTE.test(line)) return "quote";
  return line.trim().startsWith("|") ? "table" : "text";
}

function block(source) {
  const lines = source.split("\n");
  if (FENCE.test(lines[0])) {
    const closed = lines.length > 1 && FENCE.test(lines.at(-1));
    return el("pre", {}, el("code", {}, lines.slice(1, closed ? -1 : undefined).join("\n")));
  }
  const kind = kindOf(lines[0]);
  if (kind === "heading") {
    const [, level, words] = HEADING.exec(lines[0]);
    return el(level.length <= 2 ? "h3" : "h4", {}, ...inline(words));
  }
  if (kind === "rule") return el("hr");
  if (kind === "list") return list(lines);
  if (kind === "quote") return el("blockquote", {}, ...inline(lines.map((line) => line.replace(/^ {0,3}>\s?/, "")).join("\n")));
  if (kind === "table" && TABLE_RULE.test(lines[1] ?? "")) return tableBlock(lines);
  return el("p", {}, ...inline(source.trim()));
}

function list(lines) {
  const root = { node: null, indent: -1, parent: null };
  let open = root;
  let item = null;
  for (const line of lines) {
    const match = ITEM.exec(line);
    if (!match) {
      item?.append(" ", ...inline(line.trim()));
      continue;
    }
    const [, space, bullet, words] = match;
    while (open !== root && space.length < open.indent) open = open.parent;
    if (open === root || space.length > open.indent + 1) {
      const ordered = /\d/.test(bullet);
      const node = ordered ? el("ol", { start: Number.parseInt(bullet, 10) }) : el("ul");
      (item && open !== root ? item : open.node)?.append(node);
      root.node ??= node;
      open = { node, indent: space.length, parent: open };
    }
    item = el("li", {}, ...inline(words));
    open.node.append(item);
  }
  return root.node;
}

function tableBlock(lines) {
  const cells = (line) => line.trim().replace(/^\||\|$/g, "").split(/(?<!\\)\|/).map((cell) => cell.trim());
  const rows = lines.slice(2).map(cells);
  const numeric = cells(lines[1]).map((rule, at) =>
    rule.endsWith(":") || (at > 0 && rows.length > 0 && rows.every((row) => FIGURE.test(row[at] ?? ""))));
  const row = (tag) => (line) =>
    el("tr", {}, ...line.map((cell, at) => el(tag, { class: numeric[at] ? "number" : null }, ...inline(cell))));
  const body = el("tbody", {}, ...rows.map(row("td")));
  return el("div", { class: "wide" }, el("table", {}, el("thead", {}, row("th")(cells(lines[0]))), body));
}

/** Keeps an element showing growing text; blocks that did not change keep their nodes, selections included. */
export class MarkdownView {
  #sources = [];

  constructor(element) {
    this.element = element;
  }

  show(text) {
    const sources = blocks(text);
    let same = 0;
    while (same < sources.length && sources[same] === this.#sources[same]) same += 1;
    while (this.element.children.length > same) this.element.lastElementChild.remove();
    this.element.append(...sources.slice(same).map(block));
    this.#sources = sources;
  }
}

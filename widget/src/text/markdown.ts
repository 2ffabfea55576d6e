/**
 * Markdown as DOM nodes. `marked` only reads the text into tokens; no HTML is ever made or parsed, so nothing in a reply
 * (which may repeat text from a bank or a merchant) can act: HTML is text, an image is its words and its address, a link
 * is a button that shows its target first.
 */

import { Lexer, type Token, type Tokens } from "marked";
import { pieces, plain } from "./figures.js";

const FIGURE = /^[-+−]?\s?(?:\p{Sc}|[A-Z]{3}\s)?\s?\d[\d.,\s]*\s?[%\p{Sc}]?$/u;
const WEB = /^https?:\/\/[^\s/?#]+/i;
const MAX_DEPTH = 12;

/** What a figure and a link become; the caller knows about facts and pop-overs. */
export interface Makers {
  figure(text: string, number: number): Node;
  link(url: string, words: Node[]): Node;
}

type Child = Node | string;

function el(tag: string, className: string | null, children: Child[]): HTMLElement {
  const node = document.createElement(tag);
  if (className) node.className = className;
  node.append(...children);
  return node;
}

/** The tokens of a text; one that marked cannot read is one paragraph. */
function tokensOf(text: string): Token[] {
  try {
    return new Lexer({ gfm: true, breaks: true }).lex(text);
  } catch {
    return [{ type: "text", raw: text, text } as Tokens.Text];
  }
}

class Builder {
  constructor(private readonly makers: Makers) {}

  words(text: string): Child[] {
    return pieces(text).map(({ text: words, figure }) => (figure === null ? words : this.makers.figure(words, figure)));
  }

  all(tokens: Token[] | undefined, depth: number): Child[] {
    return (tokens ?? []).flatMap((token) => this.one(token, depth));
  }

  /** A block or an inline token; one of a kind that is not known is its source, as text. */
  one(token: Token, depth: number): Child[] {
    if (depth > MAX_DEPTH) return this.words(token.raw);
    const inner = () => this.all((token as Tokens.Generic).tokens, depth + 1);
    switch (token.type) {
      case "space":
      case "def":
        return token.type === "def" ? [el("p", null, this.words(token.raw))] : [];
      case "paragraph":
        return [el("p", null, inner())];
      case "heading":
        return [el((token as Tokens.Heading).depth <= 2 ? "h3" : "h4", null, inner())];
      case "blockquote":
        return [el("blockquote", null, inner())];
      case "code":
        return [el("pre", null, [el("code", null, this.words((token as Tokens.Code).text))])];
      case "hr":
        return [document.createElement("hr")];
      case "list":
        return [this.list(token as Tokens.List, depth)];
      case "table":
        return [this.table(token as Tokens.Table, depth)];
      case "strong":
      case "em":
      case "del":
        return [el(token.type === "del" ? "s" : token.type, null, inner())];
      case "codespan":
        return [el("code", null, this.words((token as Tokens.Codespan).text))];
      case "br":
        return [document.createElement("br")];
      case "escape":
        return this.words((token as Tokens.Escape).text);
      case "link":
        return this.link((token as Tokens.Link).href, inner());
      case "image":
        return this.link((token as Tokens.Image).href, this.words((token as Tokens.Image).text));
      case "text":
        return (token as Tokens.Text).tokens ? inner() : this.words((token as Tokens.Text).text);
      default:
        return this.words(token.raw);
    }
  }

  /** Only a web address can be opened, and only by the button's second step; any other target is text. */
  link(href: string, label: Child[]): Child[] {
    const url = plain(href);
    const words = label.length ? label : [url];
    if (!WEB.test(url)) return [...words, el("span", "target", [` (${url})`])];
    return [
      this.makers.link(
        url,
        words.map((child) => (typeof child === "string" ? document.createTextNode(child) : child)),
      ),
    ];
  }

  list(token: Tokens.List, depth: number): Node {
    const node = el(token.ordered ? "ol" : "ul", null, []);
    if (token.ordered && Number(token.start) !== 1) node.setAttribute("start", String(Number(token.start) || 1));
    for (const item of token.items) {
      const check = item.task ? [item.checked ? "☑ " : "☐ "] : [];
      node.append(el("li", null, [...check, ...this.all(item.tokens, depth + 1)]));
    }
    return node;
  }

  table(token: Tokens.Table, depth: number): Node {
    const text = (cell: Tokens.TableCell) => plain(cell.text).replace(/[*_`]/g, "").trim();
    const numeric = token.header.map(
      (_, at) =>
        at > 0 && token.rows.length > 0 && token.rows.every((row) => FIGURE.test(text(row[at] as Tokens.TableCell))),
    );
    const row = (tag: string) => (cells: Tokens.TableCell[]) =>
      el(
        "tr",
        null,
        cells.map((cell, at) => {
          const right = numeric[at] || token.align[at] === "right";
          return el(tag, right ? "number" : null, this.all(cell.tokens, depth + 1));
        }),
      );
    const table = el("table", null, [
      el("thead", null, [row("th")(token.header)]),
      el("tbody", null, token.rows.map(row("td"))),
    ]);
    const wide = el("div", "wide", [table]);
    wide.tabIndex = 0;
    wide.setAttribute("role", "group");
    return wide;
  }
}

/** Keeps an element showing growing text; blocks that did not change keep their nodes, selections included. */
export class MarkdownView {
  #sources: string[] = [];

  constructor(
    readonly element: HTMLElement,
    private readonly makers: Makers,
  ) {}

  /** Shows `text`; with `afresh` also what did not change is made again. */
  show(text: string, afresh = false): void {
    const tokens = tokensOf(text).filter((token) => token.type !== "space");
    const sources = tokens.map((token) => token.raw);
    let same = 0;
    if (!afresh) while (same < sources.length && sources[same] === this.#sources[same]) same += 1;
    while (this.element.children.length > same) this.element.lastElementChild?.remove();
    const builder = new Builder(this.makers);
    for (const token of tokens.slice(same)) {
      const nodes = builder.one(token, 0);
      const only = nodes.length === 1 ? nodes[0] : undefined;
      this.element.append(only instanceof Element ? only : el("p", null, nodes));
    }
    this.#sources = sources;
  }
}

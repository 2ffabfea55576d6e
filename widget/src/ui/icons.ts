/** Line icons, each one path on a grid of 24. */

import { html, type SVGTemplateResult, svg, type TemplateResult } from "lit";

export const PATHS = {
  menu: "M4 7h16M4 12h10M4 17h13",
  chats: "M21 12a8 8 0 0 1-8 8H4l2.2-2.6A8 8 0 1 1 21 12Z",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6L6 18",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M8 8h8v8H8z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  miss: "M12 6v7M12 17v.5",
  arrow: "M5 12h14M13 6l6 6-6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  back: "M15 6l-6 6 6 6",
  next: "M9 6l6 6-6 6",
  copy: "M9 9h10v10H9zM5 15V5h10",
  edit: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  retry: "M20 12a8 8 0 1 1-2.5-5.8M20 4v4h-4",
  trash: "M5 7h14M9 7V5h6v2M7 7l1 13h8l1-13",
  undo: "M9 7L4 12l5 5M4 12h10a5 5 0 0 1 0 10",
  file: "M6 3h8l4 4v14H6zM14 3v4h4",
  spark: "M12 4l1.8 5.2L19 11l-5.2 1.8L12 18l-1.8-5.2L5 11l5.2-1.8z",
  link: "M10 14a4 4 0 0 0 6 .5l2.5-2.5a4 4 0 0 0-5.6-5.6L12 7.3M14 10a4 4 0 0 0-6-.5L5.5 12a4 4 0 0 0 5.6 5.6L12 16.7",
} as const;

export type IconName = keyof typeof PATHS;

export function icon(name: IconName): TemplateResult {
  const path: SVGTemplateResult = svg`<path d=${PATHS[name]} />`;
  return html`<svg class="icon icon-${name}" viewBox="0 0 24 24" aria-hidden="true" focusable="false">${path}</svg>`;
}

/** Penny's mark: a coin with a P. */
export function coin(): TemplateResult {
  return html`<svg class="coin" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
    <circle class="coin-face" cx="16" cy="16" r="15"></circle>
    <circle class="coin-edge" cx="16" cy="16" r="11.5"></circle>
    <path class="coin-letter" d="M12.6 23V9.4h4.7a4.3 4.3 0 0 1 0 8.6h-4.7"></path>
  </svg>`;
}

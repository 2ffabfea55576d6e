/** Groups the lines of a proposal's diff by the thing they change. */

import type { DiffLine } from "../wire.js";

/** Lines that follow each other and are of the same thing, together. */
export function byThing(rows: DiffLine[]): DiffLine[][] {
  const groups: DiffLine[][] = [];
  for (const row of rows) {
    const last = groups.at(-1);
    if (last?.[0]?.what === row.what) last?.push(row);
    else groups.push([row]);
  }
  return groups;
}

/** Whether the lines make something that was not there. */
export function isNew(group: DiffLine[]): boolean {
  return group.length > 1 && group.every(({ before }) => before === null);
}

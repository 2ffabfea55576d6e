/** Months as ISO text. */

/** The month `by` months after an ISO month. */
export function shifted(month: string, by: number): string {
  const [year, number] = month.split("-").map(Number);
  const date = new Date(Date.UTC(year ?? 1970, (number ?? 1) - 1 + by, 1));
  return date.toISOString().slice(0, 7);
}

/** The shapes that Penny's HTTP interface and its events have, as far as the widget reads them. */

export interface Money {
  minor: number;
  currency: string;
}

/** One figure that a tool found; `value` is exact decimal text or an ISO date. */
export interface Fact {
  id: string;
  label: string;
  value: string;
  unit: string;
}

export interface Series {
  name: string;
  points: [string | number, number | string][];
}

export interface ChartData {
  call_id?: string;
  kind: string;
  title: string;
  unit: string;
  series: Series[];
}

export interface DiffLine {
  what: string;
  field: string;
  before: unknown;
  after: unknown;
}

export type ProposalStatus = "pending" | "applied" | "rejected" | "expired" | "superseded";

export interface Proposal {
  id: string;
  kind: string;
  status: ProposalStatus;
  hash: string;
  diff: DiffLine[];
  text: string;
  /** What of it the user did not say themselves, as a sentence of the server's. */
  notice?: string | null;
  created_at?: string;
  expires_at: string;
  session_id: string | null;
  run_id: string | null;
  journal_id?: string | null;
  superseded_by?: string | null;
}

/** A figure of a reply; offsets count Unicode code points of the final text. */
export interface Figure {
  start: number;
  end: number;
  text: string;
  fact_id?: string | null;
  verified: boolean;
}

export interface ToolCall {
  call_id: string;
  name: string;
  label?: string;
  ok?: boolean;
  summary?: string;
  facts?: Fact[];
  chart?: ChartData | null;
}

export interface Message {
  id: string;
  seq: number;
  role: string;
  text: string;
  created_at: string | null;
  run_id: string | null;
  tools: ToolCall[];
  proposals: (string | { id: string })[];
  figures: Figure[];
  status?: string | null;
}

export interface Session {
  id: string;
  title: string;
  created_at: string;
  updated_at?: string;
}

export interface Run {
  id: string;
  session_id: string;
  message_id?: string;
  status: "queued" | "running" | "finished" | "failed" | "cancelled";
  error?: { code: string; message: string; retryable: boolean } | null;
}

export interface ModelState {
  name: string;
  small: boolean;
  status: "ready" | "loading" | "failed";
  note: string;
}

export interface Page<T> {
  items: T[];
  next: string | null;
}

export interface BudgetLine {
  category: string;
  group: string;
  budget: Money | null;
  spent: Money;
  left: Money | null;
  carried?: Money | null;
  available?: Money | null;
}

export interface BudgetMonth {
  month: string;
  items: BudgetLine[];
  totals: { budget: Money; spent: Money; left: Money; unbudgeted: Money }[];
}

export interface JournalEntry {
  id: string;
  at: string;
  kind: string;
  text: string;
  message: { id: string; text: string | null } | null;
  approval: string;
  proposal_id: string | null;
  undoes: string | null;
  undone_by: string | null;
}

/** Something that Penny remembers about the user. */
export interface Remembered {
  id: string;
  text: string;
  kind?: string;
  created_at?: string;
}

export interface Account {
  id: string;
  name: string;
  kind?: string;
  balance?: Money;
}

export interface ImportReport {
  account: string;
  format: string;
  rows: number;
  added: number;
  duplicates: number;
  skipped: number;
  categorized: number;
  first_day: string;
  last_day: string;
  notes: string[];
  dry_run: boolean;
  journal_id: string | null;
}

/** An event of a run or of a session's feed. */
export interface WireEvent {
  seq: number;
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: what a type carries is read where the type is known
  data: any;
}

/** An account in a messaging app that speaks for the user. */
export interface Link {
  channel: string;
  address: string;
  created_at: string;
}

/** The linked accounts, and the apps that the service is set up for. */
export interface Links {
  items: Link[];
  channels: string[];
}

/** What the user wants to be told unasked, and when not; times are HH:MM on the clock of `time_zone`. */
export interface Preferences {
  time_zone: string;
  weekly_summary: boolean;
  budget_alerts: boolean;
  unusual_charges: boolean;
  upcoming_bills: boolean;
  quiet_from: string | null;
  quiet_until: string | null;
}

/** A one-time code: `text` is what the person sends in the app. */
export interface LinkCode {
  code: string;
  text: string;
  expires_at: string;
}

/** A small bank around the widget: its own accounts and transactions, and switches for how Penny is shown. */

import "./demo.css";
import type { Mode, PennyChat } from "../src/index.js";
import { Format } from "../src/text/format.js";
import type { Account, Money, Page } from "../src/wire.js";

interface Settings {
  theme: string;
  mode: string;
  lang: string;
  user: string;
}

interface Transaction {
  date: string;
  amount: Money;
  merchant: string;
  category: string | null;
}

const KEPT = "harbour.settings";
const WORDS = { none: "", yes: "", no: "", justNow: "", soon: "" };
const CHANGES = ["decision", "reply"]; // after these, what the bank shows may have changed

const form = document.getElementById("switches") as HTMLFormElement;
const settings: Settings = {
  theme: "auto",
  mode: "inline",
  lang: "en-US",
  user: "demo",
  ...JSON.parse(localStorage.getItem(KEPT) ?? "{}"),
};
const chat = document.createElement("penny-chat") as PennyChat;

async function token(): Promise<string> {
  const response = await fetch(`/dev/token?user=${encodeURIComponent(settings.user)}`, { cache: "no-store" });
  return (await response.json()).token;
}

function el(tag: string, className: string, text = ""): HTMLElement {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  return node;
}

function put(id: string, rows: HTMLElement[], none: string): void {
  document.getElementById(id)?.replaceChildren(...(rows.length ? rows : [el("li", "none", none)]));
}

function row(title: string, detail: string, amount: string, className = ""): HTMLElement {
  const item = el("li", className);
  const words = el("span", "words");
  const name = el("span", "title", title);
  name.dir = "auto";
  words.append(name, el("span", "detail", detail));
  item.append(words, el("span", "amount", amount));
  return item;
}

async function showBank(): Promise<void> {
  const format = new Format(settings.lang, WORDS);
  const headers = { Authorization: `Bearer ${await token()}` };
  const get = async <T>(path: string): Promise<Page<T>> => (await fetch(path, { headers, cache: "no-store" })).json();
  const [accounts, recent] = await Promise.all([
    get<Account>("/v1/accounts"),
    get<Transaction>("/v1/transactions?limit=14"),
  ]);
  put(
    "accounts",
    accounts.items.map(({ name, kind, balance }) => row(name, kind ?? "", balance ? format.money(balance) : "")),
    "No accounts yet.",
  );
  put(
    "recent",
    recent.items.map(({ date, amount, merchant, category }) =>
      row(
        merchant,
        [format.day(date), category].filter(Boolean).join(" · "),
        format.money(amount),
        amount.minor > 0 ? "in" : "",
      ),
    ),
    "No transactions yet. Bring in a file with Penny.",
  );
}

function apply(changed: Partial<Settings>): void {
  Object.assign(settings, changed);
  localStorage.setItem(KEPT, JSON.stringify(settings));
  const root = document.documentElement;
  root.lang = settings.lang;
  root.dataset.theme = settings.theme;
  root.dataset.mode = settings.mode;
  chat.theme = settings.theme as PennyChat["theme"];
  chat.mode = settings.mode as Mode;
  chat.lang = settings.lang;
  for (const [name, value] of Object.entries(settings)) {
    const select = form.elements.namedItem(name);
    if (select instanceof HTMLSelectElement) select.value = value;
  }
  if (changed.user && chat.isConnected) chat.reset();
  void showBank().catch(() => {});
}

form.addEventListener("change", (event) => {
  const select = event.target as HTMLSelectElement;
  apply({ [select.name]: select.value });
});
chat.getToken = token;
for (const change of CHANGES) chat.addEventListener(`penny-${change}`, () => void showBank().catch(() => {}));
apply(settings);
document.getElementById("penny")?.append(chat);
customElements.whenDefined("penny-chat").then(() => matchMedia("(pointer: fine)").matches && chat.focus());

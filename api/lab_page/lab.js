// The lab's page: sessions, their replies, and how one came about. Everything that is shown is set as text.
"use strict";

const LOOK_AGAIN_MS = 2500;
const at = { token: "", session: "", run: "", shown: "" };
const byId = (id) => document.getElementById(id);

function el(tag, text = "", className = "") {
  const made = document.createElement(tag);
  if (text !== "") made.textContent = text;
  if (className) made.className = className;
  return made;
}

async function get(path) {
  const answer = await fetch(path, { headers: at.token ? { Authorization: `Bearer ${at.token}` } : {} });
  const body = await answer.json();
  if (!answer.ok) throw new Error(body.detail ?? body.title ?? `The server answered ${answer.status}.`);
  return body;
}

const seconds = (value) => (value === null ? "–" : `${value.toFixed(2)} s`);

function choice(list, id, title, about, chosen, choose, className = "") {
  const item = el("li", "", className);
  const button = el("button");
  button.type = "button";
  button.append(el("span", title || "(nothing said yet)", "title"), el("small", about));
  button.setAttribute("aria-current", String(chosen));
  button.addEventListener("click", () => choose(id));
  item.append(button);
  list.append(item);
}

async function showSessions() {
  const { items } = await get("/v1/sessions?limit=50");
  if (!items.some((each) => each.id === at.session)) at.session = items[0]?.id ?? "";
  const list = el("ol");
  for (const each of items) {
    const when = new Date(each.updated_at ?? each.created_at).toLocaleString();
    choice(list, each.id, each.title, when, each.id === at.session, (id) => {
      Object.assign(at, { session: id, run: "" });
      void look();
    });
  }
  replace("sessions", list, "No sessions yet: talk at / or in penny chat.");
}

async function showRuns() {
  const runs = at.session ? (await get(`/lab/api/sessions/${at.session}/runs`)).items : [];
  if (!runs.some((each) => each.id === at.run)) at.run = runs.at(-1)?.id ?? "";
  const list = el("ol");
  for (const each of runs) {
    const about = `${each.turn} · ${each.status} · ${each.prompt_version}`;
    const kind = [each.superseded ? "superseded" : "", each.status === "failed" ? "failed" : ""].join(" ").trim();
    choice(list, each.id, each.text, about, each.id === at.run, (id) => {
      at.run = id;
      void look();
    }, kind);
  }
  replace("runs", list, "No replies yet.");
}

// The list is new each time; the keyboard stays where it was.
function replace(id, list, nothing) {
  list.id = id;
  if (!list.childElementCount) list.append(el("li", nothing, "hint"));
  const old = byId(id);
  const focused = [...old.querySelectorAll("button")].indexOf(document.activeElement);
  old.replaceWith(list);
  if (focused >= 0) list.querySelectorAll("button")[focused]?.focus();
}

async function showRun() {
  if (!at.run) {
    byId("run").replaceChildren(el("p", "Choose a session and a reply.", "hint"));
    return;
  }
  const told = await get(`/lab/api/runs/${at.run}`);
  const text = JSON.stringify(told);
  if (text === at.shown) return;
  at.shown = text;
  const { run, steps } = told;
  const total = told.seconds ?? Math.max(0.001, ...steps.map((step) => step.end));
  const parts = [el("h2", `Turn ${told.turn}`), el("p", told.user.text, "user words"), figures(told), whole(told, total)];
  if (run.error) parts.push(el("p", `${run.error.code}: ${run.error.message}`, "failed"));
  parts.push(...steps.map((step, n) => shownStep(step, n, total, told.figures, n === steps.length - 1, run.model)));
  byId("run").replaceChildren(...parts);
}

function figures({ run, seconds: total, first_event: first }) {
  const list = el("dl", "", "figures");
  const used = run.usage;
  const facts = [
    ["Status", run.status], ["Prompt", run.prompt_version], ["Model", run.model],
    ["Whole reply", seconds(total)], ["First event", seconds(first)],
    ["Tokens read", used.input_tokens.toLocaleString()], ["… from the cache", used.cache_read_tokens.toLocaleString()],
    ["… written to it", used.cache_write_tokens.toLocaleString()], ["Tokens answered", used.output_tokens.toLocaleString()],
    ["Cost", run.cost === null ? "price not known" : `$${Number(run.cost).toFixed(6)}`],
  ];
  for (const [name, value] of facts) {
    const pair = el("div");
    pair.append(el("dt", name), el("dd", String(value)));
    list.append(pair);
  }
  return list;
}

function track(spans, total, className = "") {
  const line = el("div", "", `track ${className}`.trim());
  for (const [start, end, kind] of spans) {
    const bar = el("i", "", kind);
    bar.style.left = `${(100 * start) / total}%`;
    bar.style.width = `${(100 * Math.max(0, end - start)) / total}%`;
    bar.title = `${kind}: ${seconds(start)} to ${seconds(end)}`;
    line.append(bar);
  }
  return line;
}

function whole(told, total) {
  const box = el("div");
  const spans = told.steps.map((step) => [step.start, step.end, step.kind]);
  const last = told.steps.at(-1)?.end ?? 0;
  if (told.seconds !== null && told.seconds > last) spans.push([last, told.seconds, "wait"]);
  const key = el("p", "", "key");
  key.append(el("span", "model"), el("span", "tools", "tools"), el("span", "storing, or waiting", "wait"));
  box.append(track(spans, total, "whole"), key);
  return box;
}

function shownStep(step, number, total, marks, last, model) {
  const box = el("section", "", "step");
  const head = el("h3", `${number + 1}. ${step.kind}`);
  head.append(el("small", seconds(step.end - step.start)));
  box.append(head, track([[step.start, step.end, step.kind]], total));
  if (step.kind === "tools") {
    for (const result of step.results) box.append(...shownResult(result));
    return box;
  }
  if (step.model && step.model !== model) box.append(el("p", `Answered by ${step.model}`, "hint"));
  if (step.thinking) box.append(el("p", "It thought before it answered.", "hint"));
  if (step.text) box.append(el("p", step.text, "words"));
  if (step.outcome) box.append(el("p", `Fell short: ${step.outcome}`, "failed"));
  for (const call of step.calls) {
    const line = el("p");
    line.append(el("code", `${call.name} ${JSON.stringify(call.args)}`));
    box.append(line);
  }
  const loose = last ? marks.filter((mark) => !mark.verified).map((mark) => mark.text) : [];
  if (loose.length) box.append(el("p", `Nothing backs: ${loose.join(", ")}`, "unverified"));
  return box;
}

function shownResult(result) {
  const parts = [];
  const line = el("p", "", result.ok ? "words" : "words refused");
  line.append(el("code", result.name), document.createTextNode(` ${result.ok ? "" : "refused: "}${result.summary}`));
  parts.push(line);
  if (result.proposal_id) parts.push(el("p", `Proposal ${result.proposal_id}`, "hint"));
  if (result.facts?.length) {
    const more = el("details");
    const table = el("table");
    for (const fact of result.facts) {
      const row = el("tr");
      row.append(el("td", fact.label), el("td", `${fact.value} ${fact.unit}`));
      table.append(row);
    }
    more.append(el("summary", `${result.facts.length} facts`), table);
    more.open = result.facts.length <= 6;
    parts.push(more);
  }
  return parts;
}

async function look() {
  try {
    if (!at.token) at.token = (await get(`/dev/token?user=${encodeURIComponent(byId("user").value || "demo")}`)).token;
    await showSessions();
    await showRuns();
    await showRun();
    byId("said").textContent = "";
  } catch (error) {
    byId("said").textContent = error.message;
  }
}

byId("who").addEventListener("submit", (event) => {
  event.preventDefault();
  if (!byId("user").checkValidity()) return;
  Object.assign(at, { token: "", session: "", run: "", shown: "" });
  void look();
});
setInterval(() => {
  if (document.visibilityState === "visible") void look();
}, LOOK_AGAIN_MS);
void look();

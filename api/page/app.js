/** Penny's page: wires the composer, the list of chats and the notices to the conversation. */

import { Api, Problem } from "./api.js";
import { Chat } from "./chat.js";
import { el } from "./dom.js";
import { distance } from "./values.js";

const SESSION = "penny.session";
const SUGGESTIONS = [
  "How much did I spend on groceries last month?",
  "Am I on track this month?",
  "What subscriptions am I paying for?",
  "Set dining to 250",
];
const MODEL_LOOK = 2_000; // ms between looks at a model that is loading

const at = (id) => document.getElementById(id);
const api = new Api();
const message = at("message");
const send = at("send");
const notices = new Map();

function notice(about, text) {
  notices.set(about, text);
  const now = [...notices.values()].find(Boolean) ?? "";
  at("notice").hidden = !now;
  if (at("notice").textContent !== now) at("notice").textContent = now;
}

function readyToType() {
  if (matchMedia("(pointer: fine)").matches) message.focus();
}

const chat = new Chat(api, { log: at("log"), scroller: at("scroll") }, {
  onBusy(busy) {
    const focused = document.activeElement === at("stop");
    at("stop").hidden = !busy;
    send.hidden = busy;
    if (focused && !busy) message.focus();
    composed();
  },
  onNotice: (text) => notice("chat", text),
  onEmpty: (empty) => (at("welcome").hidden = !empty),
  onPinned: (pinned) => (at("latest").hidden = pinned),
  onSession(id) {
    if (id) localStorage.setItem(SESSION, id);
    else localStorage.removeItem(SESSION);
  },
});

function composed() {
  send.disabled = message.value.trim() === "" || chat.busy;
  message.rows = Math.min(8, message.value.split("\n").length);
}

function submit() {
  const text = message.value.trim();
  if (!text) return;
  if (chat.busy) {
    notice("composer", "Penny is still answering. Escape stops the answer.");
    return;
  }
  message.value = "";
  notice("composer", "");
  chat.send(text);
  composed();
}

function stop() {
  notice("composer", "");
  chat.stop();
}

async function openSession(id) {
  at("sessions").close();
  notice("start", "");
  try {
    await chat.open(id);
  } catch (error) {
    if (error.name === "AbortError") return;
    chat.startNew();
    if (!(error instanceof Problem && error.status === 404)) notice("start", error.message);
  }
}

async function listSessions() {
  at("sessions").showModal();
  const list = at("session-list");
  try {
    const { items } = await api.get("/v1/sessions?limit=50");
    const rows = items.map(({ id, title, created_at: created, updated_at: updated }) =>
      el("li", {}, el("button",
        { type: "button", "aria-current": id === chat.session ? "true" : null, onclick: () => openSession(id).then(readyToType) },
        el("span", {}, title || "New chat"), el("time", { datetime: updated ?? created }, distance(updated ?? created)))));
    list.replaceChildren(...(rows.length ? rows : [el("li", { class: "none" }, "No chats yet.")]));
  } catch (error) {
    list.replaceChildren(el("li", { class: "none" }, error.message));
  }
}

async function watchModel() {
  for (;;) {
    const model = await api.get("/v1/model").catch(() => null);
    if (!model) return;
    const badge = at("model");
    badge.hidden = false;
    badge.textContent = model.small ? "Small offline model" : model.name;
    badge.title = model.note || model.name;
    const loading = model.status === "loading";
    const ready = ["ready", "ok", undefined].includes(model.status);
    notice("model", loading ? "The offline model is warming up, the first answer takes longer." : ready ? "" : model.note);
    if (!loading) return;
    await new Promise((resolve) => setTimeout(resolve, MODEL_LOOK));
  }
}

at("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});
message.addEventListener("input", composed);
message.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  submit();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && chat.busy && !at("sessions").open) stop();
});
at("stop").addEventListener("click", stop);
at("latest").addEventListener("click", () => chat.toEnd());
at("new-chat").addEventListener("click", () => {
  chat.startNew();
  readyToType();
});
at("open-sessions").addEventListener("click", listSessions);
at("close-sessions").addEventListener("click", () => at("sessions").close());
at("sessions").addEventListener("click", (event) => event.target === at("sessions") && at("sessions").close());
document.addEventListener("visibilitychange", () => document.visibilityState === "visible" && chat.refresh());
at("suggestions").append(...SUGGESTIONS.map((text) =>
  el("li", {}, el("button", { type: "button", onclick: () => chat.busy || chat.send(text) }, text))));

watchModel();
const last = localStorage.getItem(SESSION);
if (last) openSession(last);
else chat.startNew();
readyToType();

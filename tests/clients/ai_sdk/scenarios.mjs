// What a host app's page does with its chat; each scenario tells what it saw as JSON.
import { Chat, textOf, toolsOf, until } from "./chat.mjs";

const token = process.env.TOKEN;
const api = (method, path) =>
  fetch(process.env.PENNY_URL + path, { method, headers: { Authorization: `Bearer ${token}` } });

const scenarios = {
  async reply(id) {
    const seen = [];
    const chat = new Chat({ id, token, onData: (part) => seen.push(part.type) });
    await chat.sendMessage({ text: "say 5 0" });
    const { role, metadata } = chat.lastMessage;
    return { text: chat.text, role, metadata, status: chat.status, count: chat.messages.length };
  },

  async tool(id) {
    const chat = new Chat({ id, token });
    await chat.sendMessage({ text: "how much did I spend on dining this month?" });
    return { tools: toolsOf(chat.lastMessage), text: chat.text, error: chat.error?.message };
  },

  async approve(id) {
    const chat = new Chat({ id, token });
    await chat.sendMessage({ text: "set dining to 250" });
    const [asking] = toolsOf(chat.lastMessage);
    const proposal = chat.lastMessage.parts.find((part) => part.type === "data-proposal").data;
    const asked = structuredClone(asking);
    await chat.addToolApprovalResponse({ id: asking.approval.id, approved: process.env.APPROVED === "yes" });
    await until(() => toolsOf(chat.lastMessage)[0].state.startsWith("output") && chat.status === "ready", "the outcome");
    return { asked, proposal, messages: chat.messages, error: chat.error?.message };
  },

  async stale(id) {
    const chat = new Chat({ id, token });
    await chat.sendMessage({ text: "set dining to 250" });
    const other = new Chat({ id: `${id}-other`, token });
    await other.sendMessage({ text: "set dining to 300" });
    const answer = (of) => of.addToolApprovalResponse({ id: toolsOf(of.lastMessage)[0].approval.id, approved: true });
    await answer(other);
    await until(() => toolsOf(other.lastMessage)[0].state === "output-available" && other.status === "ready", "the first");
    await answer(chat);
    await until(() => toolsOf(chat.lastMessage).length === 2 && chat.status === "ready", "the second");
    const states = toolsOf(chat.lastMessage).map((part) => part.state);
    const again = toolsOf(chat.lastMessage)[1];
    await chat.addToolApprovalResponse({ id: again.approval.id, approved: true });
    await until(() => toolsOf(chat.lastMessage)[1].state === "output-available" && chat.status === "ready", "the third");
    return { states, error: toolsOf(chat.lastMessage)[0].errorText };
  },

  async resume(id) {
    const first = new Chat({ id, token });
    const sending = first.sendMessage({ text: "say 60 0.05" });
    await until(() => first.lastMessage?.role === "assistant" && first.text.includes("word3"), "some text");
    await first.stop();
    await sending;
    const early = first.text;
    const again = new Chat({ id, token, messages: [first.messages[0]] });
    await again.resumeStream();
    const count = again.messages.length;
    await again.resumeStream();
    return { early, text: again.text, count, later: again.messages.length, error: again.error?.message };
  },

  async stop(id) {
    const chat = new Chat({ id, token });
    const sending = chat.sendMessage({ text: "say 600 0.05" });
    await until(() => chat.lastMessage?.role === "assistant" && chat.text.includes("word3"), "some text");
    const stopped = await api("DELETE", `/ai-sdk/chat/${id}/stream`);
    await sending;
    const run = await (await api("GET", `/v1/runs/${chat.lastMessage.metadata.run_id}`)).json();
    return { answer: stopped.status, run: run.status, status: chat.status, words: chat.text.split(" ").length };
  },

  async reload(id) {
    const chat = new Chat({ id, token });
    await chat.sendMessage({ text: "how much did I spend on dining this month?" });
    await chat.sendMessage({ text: "set dining to 250" });
    const loaded = await (await api("GET", `/ai-sdk/chat/${id}`)).json();
    const again = new Chat({ id, token, messages: loaded.messages });
    const asking = toolsOf(again.lastMessage)[0];
    await again.addToolApprovalResponse({ id: asking.approval.id, approved: true });
    await until(() => toolsOf(again.lastMessage)[0].state === "output-available" && again.status === "ready", "the end");
    await again.sendMessage({ text: "say 2 0" });
    return {
      roles: again.messages.map((message) => message.role),
      text: again.text,
      tool: toolsOf(again.messages[1])[0],
      error: again.error?.message,
    };
  },

  async again(id) {
    const chat = new Chat({ id, token });
    await chat.sendMessage({ text: "say 2 0" });
    await chat.sendMessage({ text: "say 3 0" });
    const runs = new Set([chat.lastMessage.metadata.run_id]);
    for (let n = 0; n < 2; n++) {
      await chat.regenerate();
      runs.add(chat.lastMessage.metadata.run_id);
    }
    const anew = chat.text;
    const edited = chat.messages[2].id;
    await chat.sendMessage({ text: "say 4 0", messageId: edited });
    await chat.sendMessage({ text: "say 5 0", messageId: edited });
    const loaded = await (await api("GET", `/ai-sdk/chat/${id}`)).json();
    const later = new Chat({ id, token, messages: loaded.messages });
    await later.sendMessage({ text: "say 6 0", messageId: loaded.messages[0].id });
    const after = await (await api("GET", `/ai-sdk/chat/${id}`)).json();
    return {
      anew,
      runs: runs.size,
      text: chat.text,
      loaded: loaded.messages.map(textOf),
      after: after.messages.map(textOf),
      error: chat.error?.message ?? later.error?.message,
    };
  },

  async together(id) {
    const tokens = process.env.TOKENS.split(" ");
    const chats = tokens.map((one) => new Chat({ id, token: one }));
    await Promise.all(chats.map((chat, n) => chat.sendMessage({ text: `say ${20 + n} 0.01` })));
    await Promise.all(chats.map((chat, n) => chat.sendMessage({ text: `say ${3 + n} 0` })));
    return chats.map((chat) => chat.messages.filter((m) => m.role === "assistant").map(textOf));
  },

  async failing(id) {
    const errors = [];
    const chat = new Chat({ id, token, onError: (error) => errors.push(error.message) });
    await chat.sendMessage({ text: process.env.TEXT });
    const failed = { status: chat.status, errors: [...errors] };
    chat.clearError();
    await chat.sendMessage({ text: "say 2 0" });
    return { ...failed, after: chat.text };
  },
};

console.log(JSON.stringify(await scenarios[process.argv[2]](process.argv[3])));

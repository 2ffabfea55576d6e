// A server dies in the middle of a reply: one client was served by it, another by its neighbour.
import { HttpAgent } from "@ag-ui/client";
import { randomUUID } from "node:crypto";

const [dying, other] = process.env.URLS.split(" ");
const headers = { Authorization: `Bearer ${process.env.TOKEN}` };
const threadId = randomUUID();

function agentOn(url) {
  const agent = new HttpAgent({ url: `${url}/ag-ui`, threadId, headers });
  agent.kinds = [];
  agent.subscribe({ onEvent: ({ event }) => void agent.kinds.push(event.type) });
  return agent;
}
const pieces = (agent) => agent.kinds.filter((kind) => kind === "TEXT_MESSAGE_CONTENT").length;
async function until(condition) {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}
const texts = (agent) => agent.messages.map((m) => `${m.role}: ${m.content}`);

console.error = () => {};
process.on("unhandledRejection", () => {}); // a broken connection rejects twice in @ag-ui/client 1.0
const mine = agentOn(dying), theirs = agentOn(other);
mine.addMessage({ id: randomUUID(), role: "user", content: process.env.SAY });
const saying = mine.runAgent().then(() => "ended", () => "broke off");
await until(() => pieces(mine) >= 3);
const watching = theirs.runAgent();
await until(() => pieces(theirs) >= 2);
process.kill(Number(process.env.PID), "SIGKILL");
const first = await saying;
const early = mine.messages.at(-1).content;
mine.url = `${other}/ag-ui`;
await mine.runAgent();
await watching;
console.log(JSON.stringify({ first, early, mine: texts(mine), theirs: texts(theirs), kinds: theirs.kinds }));

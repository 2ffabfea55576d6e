// A server dies in the middle of a reply: one chat was served by it, another by its neighbour.
import { randomUUID } from "node:crypto";
import { Chat, until } from "./chat.mjs";

const [dying, other] = process.env.URLS.split(" ");
const token = process.env.TOKEN, id = randomUUID();
const chatOn = (url, messages) => {
  process.env.PENNY_URL = url;
  return new Chat({ id, token, messages });
};

const mine = chatOn(dying);
const saying = mine.sendMessage({ text: process.env.SAY });
await until(() => mine.lastMessage?.role === "assistant" && mine.text.length > 8, "some text");
const theirs = chatOn(other, [mine.messages[0]]);
const watching = theirs.resumeStream();
await until(() => theirs.lastMessage?.role === "assistant" && theirs.text.length > 8, "text of the other");
process.kill(Number(process.env.PID), "SIGKILL");
await saying;
const broke = mine.status;
const again = chatOn(other, [mine.messages[0]]);
await again.resumeStream();
await watching;
const parts = (chat) => chat.lastMessage.parts.filter((part) => part.type === "text").map((part) => part.text);
console.log(JSON.stringify({ broke, theirs: parts(theirs), again: parts(again), retracted:
  theirs.lastMessage.parts.filter((part) => part.type === "data-retracted").length }));

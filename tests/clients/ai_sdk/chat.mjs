// A chat as useChat makes it, without React: AbstractChat of the `ai` package over DefaultChatTransport.
const { AbstractChat, DefaultChatTransport, lastAssistantMessageIsCompleteWithApprovalResponses } = await import(
  process.env.AI
);

class State {
  status = "ready";
  error = undefined;
  messages;
  constructor(messages) {
    this.messages = messages;
  }
  pushMessage = (message) => {
    this.messages = this.messages.concat(message);
  };
  popMessage = () => {
    this.messages = this.messages.slice(0, -1);
  };
  replaceMessage = (index, message) => {
    this.messages = [...this.messages.slice(0, index), structuredClone(message), ...this.messages.slice(index + 1)];
  };
  snapshot = (thing) => structuredClone(thing);
}

export class Chat extends AbstractChat {
  constructor({ id, token, messages = [], onData, onError }) {
    super({
      id,
      state: new State(messages),
      transport: new DefaultChatTransport({
        api: `${process.env.PENNY_URL}/ai-sdk/chat`,
        headers: { Authorization: `Bearer ${token}` },
      }),
      sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses,
      onData,
      onError,
    });
  }
  get text() {
    return textOf(this.lastMessage);
  }
}

export const textOf = (message) =>
  message.parts.filter((part) => part.type === "text").map((part) => part.text).join("|");

export const toolsOf = (message) => message.parts.filter((part) => part.type.startsWith("tool-"));

export async function until(condition, what) {
  for (let tries = 0; tries < 3000; tries++) {
    const found = condition();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`waited too long for ${what}`);
}

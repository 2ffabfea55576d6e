// What a host with the TypeScript SDK does at /mcp; each scenario tells what it saw as JSON.
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";

async function connect(token) {
  const client = new Client({ name: "host", version: "1.0.0" });
  const transport = new StreamableHTTPClientTransport(new URL(process.env.PENNY_URL + "/mcp"), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
  });
  await client.connect(transport);
  return client;
}

const scenarios = {
  async use() {
    const client = await connect(process.env.TOKEN);
    const { tools } = await client.listTools();
    const asked = await client.callTool({ name: "get_budget_status", arguments: {} });
    const wanted = await client.callTool({ name: "set_budget", arguments: { category: "Dining", amount: 250 } });
    const wrong = await client.callTool({ name: "set_budget", arguments: { category: "Dining" } });
    const pending = await client.readResource({ uri: "penny://proposals/pending" });
    const missing = await client.callTool({ name: "nothing", arguments: {} }).catch((error) => error.code);
    const server = client.getServerVersion(), instructions = client.getInstructions();
    await client.close();
    return { tools, asked, wanted, wrong, pending: JSON.parse(pending.contents[0].text), missing, server, instructions };
  },

  async together() {
    const clients = await Promise.all(process.env.TOKENS.split(" ").map(connect));
    await clients[0].callTool({ name: "set_budget", arguments: { category: "Dining", amount: 250 } });
    const read = await Promise.all(Array.from({ length: 10 }, () => clients).flat().map(
      async (client) => JSON.parse((await client.readResource({ uri: "penny://proposals/pending" })).contents[0].text)));
    await Promise.all(clients.map((client) => client.close()));
    return read.map((page) => page.items.length);
  },

  async stranger() {
    return connect("nonsense").then(() => "in", (error) => String(error.code ?? error.message));
  },
};

console.log(JSON.stringify(await scenarios[process.argv[2]]()));

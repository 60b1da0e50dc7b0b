// `npm run bench:chat-ack`: the time of POST /chat until its acknowledgement while the model takes five seconds. `--json` for
// machines.
import { startServers } from '../test/support/servers.ts';
import { measureChatAck } from './chat-ack.run.ts';

const modelMs = 5_000;
const ms = (value: number) => `${value.toFixed(1)} ms`;
const servers = await startServers();
Object.assign(process.env, servers.coordinates);
try {
  const result = await measureChatAck({ modelMs });
  const { samples, p50, p99, max, ratio, bestP99 } = result;
  const text = `${samples} chats: p50 ${ms(p50)}, p99 ${ms(p99)} (best fifty in a row ${ms(bestP99)}), max ${ms(max)}; p99 is ${(ratio * 100).toFixed(2)} % of the model's ${modelMs} ms`;
  console.log(process.argv.includes('--json') ? JSON.stringify(result) : text);
} finally {
  await servers.stop();
}
process.exit(0);

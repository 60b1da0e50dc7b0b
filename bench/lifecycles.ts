// `npm run bench:lifecycles`: whole lifecycles per second against bare workflows with the same messages. `--json` for machines.
import { startServers } from '../test/support/servers.ts';
import { measureLifecycles } from './lifecycles.run.ts';

// The servers of both sides keep on disk what they acknowledge, as `npm start` runs them.
const servers = await startServers({ durable: true });
Object.assign(process.env, servers.coordinates);
try {
  const result = await measureLifecycles();
  const { parallel, product, bare, ratio, rounds } = result;
  const each = rounds.map((value) => value.toFixed(2)).join(', ');
  const text = `${parallel} in parallel: ${product.toFixed(1)} lifecycles/s, bare ${bare.toFixed(1)}/s; ratio ${ratio.toFixed(2)} (rounds ${each})`;
  console.log(process.argv.includes('--json') ? JSON.stringify(result) : text);
} finally {
  await servers.stop();
}
process.exit(0);

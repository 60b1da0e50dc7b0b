// `npm run bench:accept`: an acceptance over HTTP against a bare Update with one no-op local activity. `--json` for machines.
import { startServers } from '../test/support/servers.ts';
import { measureAccept } from './accept.run.ts';
import type { Spread } from './statistics.ts';

const spread = ({ p10, p50, p90 }: Spread) => `p10 ${p10.toFixed(1)}, p50 ${p50.toFixed(1)}, p90 ${p90.toFixed(1)} ms`;
// Both sides on servers that keep what they acknowledge, as `npm start` runs them.
const servers = await startServers({ durable: true });
Object.assign(process.env, servers.coordinates);
try {
  const result = await measureAccept();
  const { samples, accept, bare, ratio, ratioP10, ratioP90 } = result;
  const lines = [
    `${samples} of each, alternating`,
    `acceptance over HTTP   ${spread(accept)}`,
    `bare Update            ${spread(bare)}`,
    `ratio                  p10 ${ratioP10.toFixed(2)}, p50 ${ratio.toFixed(2)}, p90 ${ratioP90.toFixed(2)}`,
  ];
  console.log(process.argv.includes('--json') ? JSON.stringify(result, null, 2) : lines.join('\n'));
} finally {
  await servers.stop();
}
process.exit(0);

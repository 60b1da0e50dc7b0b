// `npm run bench:accept`: an acceptance over HTTP against a bare Update with one no-op local activity. `--json` for machines.
import { startServers } from '../test/support/servers.ts';
import { measureAccept } from './accept.run.ts';

const ms = (value: number) => `${value.toFixed(1)} ms`;
const servers = await startServers();
Object.assign(process.env, servers.coordinates);
try {
  const result = await measureAccept({ samples: Number(process.env.SAMPLES ?? 200) });
  const { samples, accept, bare, ratio, ratioP90 } = result;
  const text = `${samples} of each, alternating: acceptance p50 ${ms(accept.p50)}, p90 ${ms(accept.p90)}; bare Update p50 ${ms(bare.p50)}, p90 ${ms(bare.p90)}; ratio ${ratio.toFixed(2)} (p90 ${ratioP90.toFixed(2)})`;
  console.log(process.argv.includes('--json') ? JSON.stringify(result) : text);
} finally {
  await servers.stop();
}
process.exit(0);

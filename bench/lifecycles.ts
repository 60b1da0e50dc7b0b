// `npm run bench:lifecycles`: whole lifecycles per second against bare workflows with the same messages. With `--beside <folder>`
// it measures this checkout against another one, and with `--cold` runs that are no longer cached. `--json` for machines.
import { parseArgs } from 'node:util';
import { startServers } from '../test/support/servers.ts';
import { tableOf } from './figures.ts';
import { measureLifecycles } from './lifecycles.run.ts';
import { measureSides } from './sides.run.ts';

const { values } = parseArgs({
  options: {
    beside: { type: 'string' },
    cold: { type: 'boolean', default: false },
    rounds: { type: 'string' },
    lives: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const { beside, cold, json } = values;
const counts = Object.fromEntries(
  (['rounds', 'lives'] as const).flatMap((name) => (values[name] === undefined ? [] : [[name, Number(values[name])]])),
);

if (beside !== undefined || cold) {
  const result = await measureSides({ beside, cold, ...counts });
  const { lives, parallel, rounds, figures } = result;
  const title = `${lives} lives per round, ${parallel} in parallel, ${rounds} rounds${cold ? ', every run evicted before its next message' : ''}`;
  console.log(json ? JSON.stringify(result) : `${title}\n${tableOf(figures)}`);
} else await againstBare();
process.exit(0);

async function againstBare(): Promise<void> {
  // The servers of both sides keep on disk what they acknowledge, as `npm start` runs them.
  const servers = await startServers({ durable: true });
  Object.assign(process.env, servers.coordinates);
  try {
    const result = await measureLifecycles();
    const { parallel, product, bare, ratio, rounds } = result;
    const each = rounds.map((value) => value.toFixed(2)).join(', ');
    const text = `${parallel} in parallel: ${product.toFixed(1)} lifecycles/s, bare ${bare.toFixed(1)}/s; ratio ${ratio.toFixed(2)} (rounds ${each})`;
    console.log(json ? JSON.stringify(result) : text);
  } finally {
    await servers.stop();
  }
}

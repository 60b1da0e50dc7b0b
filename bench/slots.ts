// `npm run bench:slots`: a month of slots for pages of providers, in round trips of `select 1`. `--json` for machines.
import { startServers } from '../test/support/servers.ts';
import { measureSlots } from './slots.run.ts';

const ms = (value: number) => `${value.toFixed(2)} ms`;
const servers = await startServers();
Object.assign(process.env, servers.coordinates);
try {
  const cost = await measureSlots();
  const lines = cost.pages.map(
    ({ providers, slots, listing, roundTrips, calmRoundTrips }) =>
      `${String(providers).padStart(3)} providers, ${slots} slots: p50 ${ms(listing.p50)}, p90 ${ms(listing.p90)}; per provider ${roundTrips.toFixed(2)} round trips, of the fastest tenths ${calmRoundTrips.toFixed(2)}`,
  );
  const text = [`select 1: p50 ${ms(cost.selectOne.p50)}, p90 ${ms(cost.selectOne.p90)}`, ...lines].join('\n');
  console.log(process.argv.includes('--json') ? JSON.stringify(cost, null, 2) : text);
} finally {
  await servers.stop();
}
process.exit(0);

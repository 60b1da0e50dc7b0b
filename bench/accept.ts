// `npm run bench:accept`: an acceptance over HTTP against a bare Update with one no-op local activity. `--json` for machines.
import { startServers } from '../test/support/servers.ts';
import { measureAccept, measured, type Measured } from './accept.run.ts';
import type { CpuTimes } from './cpu.ts';
import type { Spread } from './statistics.ts';

const titles: Record<Measured, string> = {
  accept: 'acceptance over HTTP',
  bare: 'bare Update',
  bareBooking: 'bare Update that books',
};
const spread = ({ p10, p50, p90 }: Spread) => `p10 ${p10.toFixed(1)}, p50 ${p50.toFixed(1)}, p90 ${p90.toFixed(1)} ms`;
const sum = (times: CpuTimes) => Object.values(times).reduce((all, ms) => all + ms, 0);
const cpu = (times: CpuTimes) => {
  const parts = Object.entries(times).map(([name, ms]) => `${name} ${ms.toFixed(1)}`);
  return `CPU ${sum(times).toFixed(1)} ms: ${parts.join(', ')}`;
};
// All servers keep on disk what they acknowledge, as `npm start` runs them.
const servers = await startServers({ durable: true });
Object.assign(process.env, servers.coordinates);
try {
  const result = await measureAccept();
  const { samples, ms, cpuMs, ratio, ratioP10, ratioP90, bookingRatio } = result;
  const lines = [
    `${samples} of each, in turn`,
    ...measured.flatMap((what) => [`${titles[what].padEnd(24)} ${spread(ms[what])}`, `${' '.repeat(24)} ${cpu(cpuMs[what])}`]),
    `acceptance : bare Update             p10 ${ratioP10.toFixed(2)}, p50 ${ratio.toFixed(2)}, p90 ${ratioP90.toFixed(2)}`,
    `acceptance : bare Update that books  p50 ${bookingRatio.toFixed(2)}`,
  ];
  console.log(process.argv.includes('--json') ? JSON.stringify(result, null, 2) : lines.join('\n'));
} finally {
  await servers.stop();
}
process.exit(0);

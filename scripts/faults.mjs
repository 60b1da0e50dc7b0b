// npm run test:faults [-- --seeds N [--from F] | --seed S]: plays seeded schedules of journeys and failures, 100 by default. A seed
// determines its whole schedule, so `--seed S` repeats one. It also plays the crash matrix and the worker that dies again and
// again.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: { seeds: { type: 'string', default: '100' }, from: { type: 'string', default: '1' }, seed: { type: 'string' } },
});
for (const [name, value] of Object.entries(values)) {
  if (!/^[1-9]\d{0,8}$/.test(value)) {
    console.error(`--${name} must be a whole number above 0. Use: npm run test:faults -- --seeds N [--from F], or --seed S`);
    process.exit(2);
  }
}
const { status } = spawnSync(
  process.execPath,
  [join(import.meta.dirname, 'bootstrap.mjs'), 'test', 'test/faults/(schedules|matrix|churn)\\.test\\.ts'],
  {
    stdio: 'inherit',
    env: { ...process.env, FAULT_SEEDS: values.seeds, FAULT_FROM: values.from, ...(values.seed && { FAULT_SEED: values.seed }) },
  },
);
process.exit(status ?? 1);

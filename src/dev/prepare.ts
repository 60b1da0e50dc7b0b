// Newest schema and catalogue, then the demo city. Runs as a process of its own, so that what keeps the stack running stays small. Safe to repeat.
import '../migrate.ts';
import { loadConfig } from '../config.ts';
import { openOrm, patient } from '../db/orm.ts';
import { seedCity } from './city.ts';

const orm = await openOrm({ databaseUrl: loadConfig().database.url, poolMax: 2, applicationName: 'proxie-prepare', ...patient });
try {
  await seedCity(orm);
} finally {
  await orm.close(true);
}

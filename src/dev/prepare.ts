// Brings schema and catalogue to the newest version, then seeds the demo city. It runs in a process of its own, so that the
// supervisor needs little memory. Safe to repeat.
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

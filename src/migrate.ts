// `npm run migrate`, and the migrate job of a deployment: brings the schema to the newest migration and stores the catalogue.
import { loadToolConfig } from './config.ts';
import { migrate, openOrm, patient } from './db/orm.ts';
import { storeCatalogue } from './db/queries/catalogue.ts';
import { seedCatalogue } from './domain/intake/catalogue-seed.ts';

const config = loadToolConfig();
const orm = await openOrm({ databaseUrl: config.database.url, poolMax: 2, applicationName: 'proxie-migrate', ...patient });
try {
  await migrate(orm);
  await storeCatalogue(orm.em.fork(), seedCatalogue);
} finally {
  await orm.close(true);
}

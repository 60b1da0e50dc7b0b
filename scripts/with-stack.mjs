// Runs a tool against the stack of `npm start`, unless the environment names another one: node scripts/with-stack.mjs FILE …
import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const stackFile = join(process.env.PROXIE_HOME ?? '.proxie', 'stack.json');
if (!process.env.DATABASE_URL && existsSync(stackFile)) {
  const { urls } = JSON.parse(readFileSync(stackFile, 'utf8'));
  process.env.DATABASE_URL = urls.database;
  process.env.TEMPORAL_ADDRESS ??= urls.temporal;
  process.env.TEMPORAL_NAMESPACE ??= urls.temporalNamespace;
}
try {
  await import(pathToFileURL(resolve(process.argv[2])).href);
} catch (error) {
  // A configuration error names the fix, so its stack is left out.
  console.error(error?.name === 'ConfigError' ? error.message : error);
  process.exitCode = 1;
}

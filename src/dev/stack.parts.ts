import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Connection } from '@temporalio/client';
import { DEV_ISSUER, type StackConfig } from '../config.ts';
import { executableCache, projectRoot, type HomePaths } from './home.ts';
import { DEV_AUDIENCE, startIssuer } from './issuer.ts';
import type { ManagedSpec } from './managed.ts';
import { demoTokens } from './people.ts';
import type { PortWish } from './ports.ts';
import { ensureDatabase, preparePostgres } from './postgres.ts';
import { StackError, step, type Say } from './progress.ts';
import type { DevSecrets } from './secrets.ts';
import type { StackFile } from './stack-file.ts';
import { resolveTemporalCli } from './temporal-cli.ts';
import { ensureSearchAttributes, prepareTemporal } from './temporal-server.ts';

const run = promisify(execFile);

/** The state that the parts of a stack share while it starts. */
export interface StackContext {
  config: StackConfig;
  paths: HomePaths;
  say: Say;
  file: StackFile;
  choosePort(wish: PortWish): Promise<number>;
  /** Starts one process, waits until it is ready, and keeps it running. */
  keep(title: string, spec: ManagedSpec): Promise<void>;
  /** Adds a function that is called when every process has stopped. */
  atEnd(end: () => void | Promise<void>): void;
}

/** Settings for child processes, on top of our own environment. undefined removes a variable. */
export type Settings = Record<string, string | undefined>;

/** Starts an embedded server unless a URL is configured. @returns the URL of the database */
export async function startDatabase({ config, paths, say, file, choosePort, keep }: StackContext, password: string): Promise<string> {
  if (config.databaseUrl) {
    say('✓ Postgres: the server of DATABASE_URL');
    return config.databaseUrl;
  }
  const port = await choosePort({ what: 'Postgres', key: 'PROXIE_POSTGRES_PORT', wanted: config.ports.postgres, from: 5_433 });
  const spec = await preparePostgres(
    { folder: paths.postgres, password, port, logFile: join(paths.logs, 'postgres.log'), env: config.inherited },
    say,
  );
  file.ports.postgres = port;
  await keep(`Postgres on port ${port}`, spec);
  await ensureDatabase(spec.url);
  return spec.url;
}

/** Starts a development server unless an address is configured. @returns the settings that lead clients to Temporal */
export async function startTemporal({ config, paths, say, file, choosePort, keep }: StackContext): Promise<Settings> {
  const namespace = config.temporalNamespace;
  file.urls.temporalNamespace = namespace;
  if (config.temporalAddress) {
    const { connectionOptions } = config.temporal;
    await step(say, `Temporal at ${config.temporalAddress}`, 'the server to answer', () =>
      registerAttributes(connectionOptions, namespace, say),
    ).catch((cause: unknown) => {
      const fix = 'Start that server, or unset TEMPORAL_ADDRESS to get one of our own.';
      throw new StackError(`TEMPORAL_ADDRESS names ${config.temporalAddress}, and nothing answers there. ${fix}`, { cause });
    });
    file.urls.temporal = config.temporalAddress;
    return {};
  }
  const cli = await resolveTemporalCli({ bin: paths.bin, cache: executableCache(config.inherited), path: config.inherited.PATH, say });
  const port = await choosePort({ what: 'Temporal', key: 'PROXIE_TEMPORAL_PORT', wanted: config.ports.temporal, from: 7_233 });
  const uiPort = await choosePort({
    what: 'the Temporal Web UI',
    key: 'PROXIE_TEMPORAL_UI_PORT',
    wanted: config.ports.temporalUi,
    from: 8_233,
  });
  const logFile = join(paths.logs, 'temporal.log');
  const spec = prepareTemporal(
    { cli, folder: paths.temporal, port, uiPort, namespace, logFile, cwd: paths.root, env: config.inherited },
    say,
  );
  file.ports.temporal = port;
  file.ports.temporalUi = uiPort;
  await keep(`Temporal on port ${port}`, spec);
  await registerAttributes({ address: spec.address }, namespace, say);
  file.urls.temporal = spec.address;
  file.urls.temporalUi = `http://127.0.0.1:${uiPort}`;
  // A Temporal profile of the user must not lead API and worker to another server.
  const others = Object.keys(config.inherited).filter((key) => key.startsWith('TEMPORAL_'));
  return {
    ...Object.fromEntries(others.map((key) => [key, undefined])),
    TEMPORAL_CONFIG_FILE: join(paths.root, 'no-profile.toml'),
    TEMPORAL_ADDRESS: spec.address,
    TEMPORAL_NAMESPACE: namespace,
  };
}

async function registerAttributes(options: StackConfig['temporal']['connectionOptions'], namespace: string, say: Say): Promise<void> {
  const connection = await Connection.connect(options);
  try {
    const added = await ensureSearchAttributes(connection, namespace);
    if (added.length > 0) say(`  registered search attributes: ${added.join(', ')}`);
  } finally {
    await connection.close();
  }
}

/** The settings of the development issuer, for keys that the environment does not set. Production has to set all of them. */
export async function startIdentity({ config, file, choosePort, atEnd }: StackContext, secrets: DevSecrets): Promise<Settings> {
  const { CURSOR_SECRET = secrets.cursorSecret, AUTH_GUEST_SECRET = secrets.guestSecret } = config.inherited;
  if (config.jwksUrl) return { CURSOR_SECRET, AUTH_GUEST_SECRET };
  const port = await choosePort({ what: 'the development issuer', key: 'PROXIE_ISSUER_PORT', wanted: config.ports.issuer, from: 3_100 });
  const issuer = await startIssuer(secrets.issuerKey, port);
  atEnd(() => issuer.close());
  file.ports.issuer = port;
  file.urls.jwks = issuer.jwksUrl;
  file.urls.token = issuer.tokenUrl;
  file.tokens = await demoTokens(issuer);
  return { CURSOR_SECRET, AUTH_GUEST_SECRET, AUTH_JWKS_URL: issuer.jwksUrl, AUTH_ISSUER: DEV_ISSUER, AUTH_AUDIENCE: DEV_AUDIENCE };
}

/** Runs the migrations, and in development seeds the demo city, in a process of their own. */
export async function prepareDatabase(env: Settings, production: boolean): Promise<void> {
  const script = fileURLToPath(production ? new URL('../migrate.ts', import.meta.url) : new URL('./prepare.ts', import.meta.url));
  try {
    await run(process.execPath, [script], { env, cwd: projectRoot, timeout: 300_000 });
  } catch (error) {
    throw new StackError(`The database could not be prepared: ${(error as { stderr?: string }).stderr?.trim() || String(error)}`, {
      cause: error,
    });
  }
}

import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Connection } from '@temporalio/client';
import { TypedSearchAttributes } from '@temporalio/common';
import { encodeSearchAttributeIndexedValueType } from '@temporalio/common/lib/search-attributes.js';
import { searchAttributes } from '../contracts/search-attributes.ts';
import type { ManagedSpec } from './managed.ts';
import type { TemporalCli } from './temporal-cli.ts';
import type { Say } from './progress.ts';

export interface TemporalOptions {
  cli: TemporalCli;
  /** PROXIE_HOME/temporal, which holds the SQLite file. Without a folder everything is in memory. */
  folder?: string;
  port: number;
  /** Port of the Web UI. Without it there is no Web UI. */
  uiPort?: number;
  namespace: string;
  logFile: string;
  cwd: string;
  env: Readonly<Record<string, string | undefined>>;
}

/** How to run the Temporal development server on `address`. */
export function prepareTemporal(options: TemporalOptions, say: Say): ManagedSpec & { address: string } {
  const address = `127.0.0.1:${options.port}`;
  const file = options.folder && databaseFile(options.folder, options.cli.server, say);
  return {
    address,
    role: 'temporal',
    command: options.cli.executable,
    args: [
      'server',
      'start-dev',
      '--ip=127.0.0.1',
      `--port=${options.port}`,
      `--namespace=${options.namespace}`,
      '--log-format=json',
      '--log-level=warn',
      ...(file ? [`--db-filename=${file}`] : []),
      options.uiPort ? `--ui-port=${options.uiPort}` : '--headless',
      // A search attribute can be used right after it is registered. Otherwise the server would know it only after its next
      // refresh.
      '--dynamic-config-value=system.forceSearchAttributesCacheRefreshOnRead=true',
      ...Object.values(searchAttributes).map(
        ({ name, type }) => `--search-attribute=${name}=${TypedSearchAttributes.toMetadataType(type)}`,
      ),
    ],
    // Settings for clients (TEMPORAL_ADDRESS, profiles) would lead the CLI to another server.
    env: Object.fromEntries(Object.entries(options.env).filter(([key]) => !key.startsWith('TEMPORAL_'))),
    cwd: options.cwd,
    logFile: options.logFile,
    isReady: () => serves(address, options.namespace),
    waitsFor: 'its gRPC port to serve the namespace',
    readyWithinMs: 60_000,
    stopSignal: 'SIGTERM',
    graceMs: 10_000,
  };
}

/** Whether the namespace can be used. That is some time after the port opens. */
async function serves(address: string, namespace: string): Promise<boolean> {
  const connection = await Connection.connect({ address, connectTimeout: 1_000 });
  try {
    const deadline = Date.now() + 1_000;
    await connection.withDeadline(deadline, () => connection.workflowService.describeNamespace({ namespace }));
    await connection.withDeadline(deadline, () =>
      connection.workflowService.listWorkflowExecutions({ namespace, pageSize: 1, query: 'ProxieStage = "none"' }),
    );
    return true;
  } finally {
    await connection.close();
  }
}

/**
 * Registers the search attributes that the namespace lacks. This needs admin rights in the namespace.
 * @returns the names of the added attributes
 */
export async function ensureSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  const missing = Object.values(searchAttributes).filter(({ name }) => !(name in customAttributes));
  if (missing.length === 0) return [];
  const types = Object.fromEntries(missing.map(({ name, type }) => [name, encodeSearchAttributeIndexedValueType(type)!]));
  await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: types });
  return missing.map(({ name }) => name);
}

/**
 * Path of the SQLite file. The server makes its tables only in a new file, so the file of another release is renamed. Its runs
 * are rebuilt from their timelines in Postgres.
 */
function databaseFile(folder: string, release: string, say: Say): string {
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'temporal.db');
  const madeBy = join(folder, 'made-by');
  if (existsSync(file) && existsSync(madeBy) && readFileSync(madeBy, 'utf8') !== release) {
    const aside = `${file}.${Date.now()}`;
    say(`  this is Temporal server ${release}, another release than last time: its old file is now ${aside}`);
    for (const suffix of ['', '-wal', '-shm']) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  }
  writeFileSync(madeBy, release);
  return file;
}

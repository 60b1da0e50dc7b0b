import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from '@jest/globals';
import { bundleWorkflowCode, DefaultLogger, Runtime, Worker } from '@temporalio/worker';
import { buildWorkflowBundle } from '../../src/temporal/bundle.ts';
import { dataConverter } from '../../src/temporal/data-converter.ts';
import { repository, seededTree } from '../support/seeded.ts';

interface Golden {
  name: string;
  type: string;
  workflowId: string;
  history: {
    events: {
      workflowTaskCompletedEventAttributes?: { sdkMetadata?: { coreUsedFlags?: number[] } };
      workflowExecutionStartedEventAttributes?: { workflowType: { name: string } };
    }[];
  };
}

const folder = join(import.meta.dirname, 'histories');
const golden: Golden[] = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.json'))
  .sort()
  .map((file) => {
    const recorded = JSON.parse(readFileSync(join(folder, file), 'utf8')) as Pick<Golden, 'workflowId' | 'history'>;
    const type = recorded.history.events[0]!.workflowExecutionStartedEventAttributes!.workflowType.name;
    return { ...recorded, name: file.replace('.json', ''), type };
  });

/** What replay finds, by name: nothing when code and history agree. One worker replays all of them, one after the other. */
async function replay(code: string): Promise<Map<string, string | undefined>> {
  const found = new Map<string, string | undefined>();
  for await (const { error } of Worker.runReplayHistories({ workflowBundle: { code }, dataConverter: dataConverter() }, golden))
    found.set(golden[found.size]!.name, error && `${error.name}: ${error.message}`);
  expect(found.size).toBe(golden.length);
  return found;
}

const exported = [...readFileSync(join(repository, 'src/workflows/index.ts'), 'utf8').matchAll(/export \{ (\w+) \}/g)].map(
  ([, name]) => name!,
);

beforeAll(() => {
  Runtime.install({ logger: new DefaultLogger('ERROR'), telemetryOptions: { logging: { filter: 'OFF', forward: {} } } });
});

describe('recorded histories', () => {
  it('there is one of every workflow type', () => {
    expect(exported.length).toBeGreaterThan(0);
    expect([...new Set(golden.map(({ type }) => type))].sort()).toEqual([...exported].sort());
  });

  it.each(golden)('$name carries the flags without which replay does not notice a wrong activity', ({ history }) => {
    const flags = history.events.flatMap(
      ({ workflowTaskCompletedEventAttributes }) => workflowTaskCompletedEventAttributes?.sdkMetadata?.coreUsedFlags ?? [],
    );
    expect(flags).not.toEqual([]);
  });

  it('all replay on the code as it is now', async () => {
    // A run with servers has built it for them.
    const built = process.env.PROXIE_TEST_BUNDLE;
    const code = built ? readFileSync(built, 'utf8') : (await buildWorkflowBundle()).code;
    const broken = [...(await replay(code))].filter(([, error]) => error);
    expect(broken).toEqual([]);
  });

  it.each(golden)('$name names no machine and no person', ({ history }) => {
    const text = JSON.stringify(history).replaceAll(/"data":"([A-Za-z0-9+/=]+)"/g, (_, data: string) =>
      Buffer.from(data, 'base64').toString(),
    );
    expect(text).not.toMatch(/Main Street|sink is leaking|@example|LIC-1|A plumber|"identity":"(?!recorder)|node_modules|file:\/\//);
  });
});

const workflows = 'src/workflows';
const source = (file: string) => readFileSync(join(repository, workflows, file), 'utf8');

/** The code with these files in place of ours. */
async function bundleWith(files: Record<string, string>): Promise<string> {
  const changed = Object.fromEntries(Object.entries(files).map(([file, text]) => [`${workflows}/${file}`, text]));
  using tree = seededTree([workflows, 'src/domain', 'src/contracts', 'package.json'], changed);
  const { code } = await bundleWorkflowCode({ workflowsPath: join(tree.path, workflows, 'index.ts'), logger: new DefaultLogger('ERROR') });
  return code;
}

function edited(file: string, from: string, to: string): Record<string, string> {
  if (!source(file).includes(from)) throw new Error(`${file} has changed: the control does not find \`${from}\` any more.`);
  return { [file]: source(file).replace(from, to) };
}

describe('the control: code that has changed under running executions', () => {
  const violations = (found: Map<string, string | undefined>) =>
    golden.filter(({ name }) => found.get(name)?.startsWith('DeterminismViolationError')).map(({ name }) => name);

  it('given a command that was not there, every history is refused', async () => {
    const changed = exported.map(
      (name) => `export async function ${name}(...input) { upsertMemo({ changed: true }); return all.${name}(...input); }`,
    );
    const index = [`import { upsertMemo } from '@temporalio/workflow';`, `import * as all from './all.ts';`, ...changed].join('\n');
    const found = await replay(await bundleWith({ 'index.ts': index, 'all.ts': source('index.ts') }));
    expect(violations(found)).toEqual(golden.map(({ name }) => name));
  });

  it('given two local activities that have changed places, every history of a timeline is refused', async () => {
    const swapped = {
      ...edited('streams.ts', 'const { append,', 'const { match: append,'),
      ...edited('request/request.life.ts', 'const { match }', 'const { append: match }'),
    };
    const timelines = golden.filter(({ type }) => !['calendarImportWorkflow', 'mailWorkflow', 'reconcileWorkflow'].includes(type));
    expect(violations(await replay(await bundleWith(swapped)))).toEqual(timelines.map(({ name }) => name));
  });
});

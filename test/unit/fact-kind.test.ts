import { describe, expect, it } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { factKinds, kindOf, type FactKind } from '../../src/domain/intake/fact-kind.ts';
import { readingOf } from '../../src/integrations/llm/kind/index.ts';
import { repository, seededTree } from '../support/seeded.ts';

const rules = 'src/domain/intake/fact-kind.ts';
const readings = 'src/integrations/llm/kind/index.ts';

/** The table in `file` with one entry more. */
const withEntry = (file: string, entry: string) =>
  readFileSync(join(repository, file), 'utf8').replace(/\n\} satisfies Record</, `\n${entry}\n} satisfies Record<`);

const rule = `  date: {
    json: 'string',
    fault: (value) => (typeof value === 'string' && /^\\d{4}-\\d{2}-\\d{2}$/.test(value) ? undefined : 'must be a date: YYYY-MM-DD'),
    isPast: (value: string, now) => Date.parse(value) + 86_400_000 <= now,
    text: String,
    short: labelled,
  },`;
const reading = `  date: {
    prompt: 'date: as said.',
    brief: (value) => value,
    find(message, { key }) {
      const said = /\\d{4}-\\d{2}-\\d{2}/.exec(message.rest)?.[0];
      if (!said) return;
      say(message, key, said);
      message.rest = message.rest.replace(said, ' ');
    },
    bind: (phrase) => ({ value: phrase }),
  },`;

/** One turn of a service that asks for a date of its own, without a model. */
const turn = `
import { advance } from './src/domain/intake/decide.ts';
import { seedCatalogue } from './src/domain/intake/catalogue-seed.ts';
import { checkCatalogue, type Catalogue, type FactSpec } from './src/domain/intake/catalogue.ts';
import { replyTo } from './src/domain/intake/reply.ts';
import { createOfflineInterpreter } from './src/integrations/llm/offline/interpreter.ts';

const moving: FactSpec = { key: 'moving_day', kind: 'date', label: 'Moving day', question: 'When do you move?' };
const [first, ...others] = seedCatalogue.categories;
const service = { ...first!.services[0]!, facts: [moving], requiredFacts: ['moving_day'], optionalFacts: [] };
const catalogue: Catalogue = checkCatalogue({ ...seedCatalogue, categories: [{ ...first!, services: [service] }, ...others] });
const now = '2026-11-20T15:00:00Z';
const known = { service: { value: service.code, confidence: 1, confirmed: true } };
for (const text of ['we move on 2026-12-24', 'we moved on 2026-01-02']) {
  const input = { text, history: [], catalogue, known, asked: null, draftShown: false, places: [], zone: 'UTC', now };
  const { proposals } = await createOfflineInterpreter().interpret(input);
  const next = advance({ catalogue, known, proposals, asked: null, draftShown: 'none', now: Date.parse(now) });
  console.log(replyTo({ catalogue, turn: next, formatWindow: () => '' }));
}
`;

const seeded = (files: Record<string, string>) =>
  seededTree(['tsconfig.json', 'package.json', 'src/domain', 'src/integrations/llm'], {
    'tsconfig.seeded.json': JSON.stringify({
      extends: './tsconfig.json',
      include: [
        'turn.ts',
        'src/domain/intake',
        'src/integrations/llm/kind',
        'src/integrations/llm/offline',
        'src/integrations/llm/prompt.ts',
      ],
    }),
    'turn.ts': turn,
    ...files,
  });

describe('a new kind of fact', () => {
  it('given no reading of its own, does not compile, and the compiler names the table that lacks it', () => {
    using tree = seeded({ [rules]: withEntry(rules, rule) });
    const { status, stdout } = tree.run('tsc', '-p', 'tsconfig.seeded.json', '--pretty', 'false');
    expect(status).not.toBe(0);
    expect(stdout).toMatch(new RegExp(`^${readings}.*'date' is missing`));
  });

  it('given an entry that forgets how a value is said, does not compile', () => {
    using tree = seeded({ [rules]: withEntry(rules, rule.replace('text: String,', '')), [readings]: withEntry(readings, reading) });
    const { stdout } = tree.run('tsc', '-p', 'tsconfig.seeded.json', '--pretty', 'false');
    expect(stdout).toMatch(new RegExp(`^${rules}.*'text' is missing`));
  });

  it('given its two entries, is understood, checked and said; nothing else changes', () => {
    using tree = seeded({ [rules]: withEntry(rules, rule), [readings]: withEntry(readings, reading) });
    expect(tree.run('tsc', '-p', 'tsconfig.seeded.json', '--pretty', 'false')).toMatchObject({ status: 0, stdout: '' });
    const { stdout } = tree.run('node', '--disable-warning=ExperimentalWarning', 'turn.ts');
    expect(stdout.split('\n')).toEqual([
      expect.stringContaining('Got it: moving day: 2026-12-24.'),
      expect.stringContaining('That time has already passed.'),
      '',
    ]);
  });
});

describe('the kinds there are', () => {
  it.each(Object.keys(factKinds) as FactKind[])('%s: what the rules refuse, no reading makes up', async (kind) => {
    const fact = { key: 'own', kind, label: 'Own', question: '?', choices: [{ code: 'a', label: 'Alpha', words: [] }] };
    const context = { fact, services: [{ code: 'one', name: 'One' }], service: undefined };
    for (const nonsense of [undefined, null, {}, [], Number.NaN]) expect(kindOf(kind).fault(nonsense, context)).toMatch(/^must /);
    const input = { text: '', history: [], catalogue: { version: 1, categories: [] }, known: {}, asked: null, draftShown: false };
    const around = { input: { ...input, places: [], zone: 'UTC', now: '2026-11-20T15:00:00Z' }, service: undefined, location: undefined };
    const read = await readingOf(kind).bind('zzz', { ...around, fact });
    if ('value' in read) expect(kindOf(kind).fault(read.value, context)).toBeUndefined();
    else expect(read.ask).toBeTruthy();
  });
});

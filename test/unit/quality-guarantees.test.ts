import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { repository } from '../support/seeded.ts';

const read = (path: string) => readFileSync(join(repository, path), 'utf8');

/** `| guarantee | test | file |`, as docs/guarantees.md writes it. */
function rowsOf(page: string): [string, string][] {
  return [...page.matchAll(/^\|[^|]+\| ([^|]+?) +\| `(test\/[^`]+)` +\|$/gm)].map(([, name, file]) => [file!, name!]);
}

/** `` `test/…/x.test.ts` ("a name", "another") ``, as decisions write it; a colon in place of the parentheses will do. */
function citedIn(page: string): [string, string][] {
  return [...page.matchAll(/`(test\/[\w/-]+\.test\.ts)`(?: against [^:]+)?(?::| \()((?:\s*(?:, )?"[^"]+")+)/g)].flatMap(([, file, names]) =>
    [...names!.matchAll(/"([^"]+)"/g)].map(([, name]): [string, string] => [file!, name!]),
  );
}

const missing = (cited: [string, string][]) =>
  cited.filter(([file, name]) => !existsSync(join(repository, file)) || !read(file).includes(name));

const decisions = readdirSync(join(repository, 'docs/decisions')).filter((file) => /^(?!0000).*\.md$/.test(file));

describe('documents that name tests', () => {
  it('docs/guarantees.md names tests that exist', () => {
    const rows = rowsOf(read('docs/guarantees.md'));
    expect(rows.length).toBeGreaterThan(40);
    expect(missing(rows)).toEqual([]);
  });

  it.each(decisions)('docs/decisions/%s names tests that exist, or says that it is a wish', (file) => {
    const page = read(join('docs/decisions', file));
    const [, check = ''] = page.split('## How this is checked');
    const cited = citedIn(check);
    expect(missing(cited)).toEqual([]);
    expect(cited.length > 0 || check.includes('wish')).toBe(true);
  });

  it('given a test that was renamed, it is named', () => {
    const row = '| It holds | a name that no test has | `test/unit/money.test.ts` |';
    expect(missing(rowsOf(row))).toEqual([['test/unit/money.test.ts', 'a name that no test has']]);
    const sentence = `\`test/unit/gone.test.ts\` (${JSON.stringify('one')}, ${JSON.stringify('two')})`;
    expect(missing(citedIn(sentence))).toEqual([
      ['test/unit/gone.test.ts', 'one'],
      ['test/unit/gone.test.ts', 'two'],
    ]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { filesBelow } from '../../scripts/check/files.ts';
import { repository } from '../support/seeded.ts';

const read = (path: string) => readFileSync(join(repository, path), 'utf8');

/** The files of the table that follows a sentence. */
const filesAfter = (page: string, sentence: string) =>
  [
    ...page
      .slice(page.indexOf(sentence))
      .split('\n\n')[1]!
      .matchAll(/^\| `(src\/[^`]+)`/gm),
  ]
    .map(([, path]) => path!)
    .sort();

const naming = (words: RegExp) => filesBelow(repository, ['src'], /\.ts$/).filter((path) => words.test(read(path)));

describe('the worked examples of AGENTS.md', () => {
  it('withdrawing an offer stands in exactly the files that are named, five at most', () => {
    const named = filesAfter(read('AGENTS.md'), '"a provider withdraws an offer"');
    expect(named.length).toBeLessThanOrEqual(5);
    expect(naming(/withdrawOffer|offer\.withdrawn|offer_withdrawn/)).toEqual(named);
  });

  it('given a sixth file that names it, they would differ', () => {
    expect(filesAfter('about "x":\n\n| a | b |\n| - | - |\n| `src/a.ts` | x |\n| `src/b.ts` | y |\n\nmore', '"x"')).toEqual([
      'src/a.ts',
      'src/b.ts',
    ]);
    expect(naming(/withdrawOffer|offer\.withdrawn|offer_withdrawn|offer\.invited/).length).toBeGreaterThan(5);
  });
});

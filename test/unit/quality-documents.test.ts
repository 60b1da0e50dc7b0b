import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { repository } from '../support/seeded.ts';
import { stepsOf, walk } from '../support/walk.ts';

const page = (...lines: string[]) => ['Text.', '```sh', ...lines, '```', '```', 'not a shell block', '```'].join('\n');
const pasted = (...lines: string[]) => walk('page.md', stepsOf(page(...lines)));

describe('README.md', () => {
  it('has at most 900 words, tables and blocks included', () => {
    const words = readFileSync(join(repository, 'README.md'), 'utf8').split(/\s+/).filter(Boolean);
    expect(words.length).toBeLessThanOrEqual(900);
  });
});

describe('shell blocks of documents', () => {
  it.each(['README.md', 'docs/tour.md', 'docs/runbook.md'])('%s waits for something, never for a time', (document) => {
    const lines = stepsOf(readFileSync(join(repository, document), 'utf8')).flatMap(({ code }) => code);
    expect(lines.filter((line) => /\bsleep\b/.test(line))).toEqual([]);
    expect(lines.some((line) => line.includes('wait_for'))).toBe(true);
  });
});

describe('the test that pastes the blocks of documents', () => {
  it('given a page that is right, it is content', async () => {
    expect(
      await pasted('A=one', 'echo "$A"', '# → one', 'echo ignored', '```', '```sh', 'printf "$A\\ntwo\\n"', '# → o…', '# → two'),
    ).toEqual([]);
  });

  it.each([
    ['another text', ['echo one', 'echo two', '# → one', '# → three']],
    ['a part of the text', ['echo one', '# → on']],
    ['a text that is not printed', ['true', '# → one']],
  ])('given %s than what is printed, it names the line', async (_name, lines) => {
    expect(await pasted(...lines)).toEqual([expect.stringMatching(/^page\.md:3: says\n/)]);
  });

  it.each([
    ['a command', ['false', 'echo one']],
    ['a command in a pipe', ['false | cat', 'echo one']],
    ['a variable that is not set', ['echo "$NOT_SET"', 'echo one']],
  ])('given %s that fails, it stops and names the line', async (_name, lines) => {
    expect(await pasted('echo zero', '# → zero', ...lines, '# → one')).toEqual([expect.stringMatching(/^page\.md:5: stopped with 1\n/)]);
  });
});

import { chmodSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { seededTree } from '../support/seeded.ts';

/** Runs .ci/run with an `npm` that answers like ours: `check` ends with one code, `test` prints a summary and ends with another. */
function ci(summary: string, { tests = 0, checks = 0 } = {}) {
  using tree = seededTree(['.ci/run'], {
    'scripts/bootstrap.mjs': "console.log('bootstrap', ...process.argv.slice(2));\n",
    'bin/npm': `#!/usr/bin/env bash\nif [[ $1 == test ]]; then printf '%b' '${summary}' >&2; exit ${tests}; fi\necho "npm $*"; exit ${checks}\n`,
  });
  chmodSync(join(tree.path, 'bin/npm'), 0o755);
  const env = { ...process.env, PATH: `${join(tree.path, 'bin')}:${process.env.PATH}`, NODE_OPTIONS: '' };
  const { status, stdout } = spawnSync(join(tree.path, '.ci/run'), { cwd: '/', env, encoding: 'utf8' });
  const lines = stdout.trimEnd().split('\n');
  return { status, last: lines.at(-1), stdout };
}

describe('.ci/run', () => {
  it('given passing tests, shows the summary of Jest and counts them in the last line', () => {
    const { status, last, stdout } = ci('Test Suites: 2 passed, 2 total\\nTests:       34 passed, 34 total\\nTime: 1 s\\n');
    expect(stdout).toContain('Tests:       34 passed, 34 total');
    expect({ status, last }).toEqual({ status: 0, last: '34 passed, 0 failed' });
  });

  it('given failing tests, ends with the exit code of Jest', () => {
    const { status, last } = ci('Tests:       2 failed, 1 skipped, 31 passed, 34 total\\n', { tests: 3 });
    expect({ status, last }).toEqual({ status: 3, last: '31 passed, 2 failed' });
  });

  it('given a coloured summary, still counts', () => {
    expect(ci('\\e[1mTests:       \\e[22m\\e[31m2 failed\\e[39m, \\e[32m31 passed\\e[39m, 33 total\\n', { tests: 1 }).last).toBe(
      '31 passed, 2 failed',
    );
  });

  it('given a suite that could not be loaded, does not claim that nothing failed', () => {
    const { status, last } = ci('Test Suites: 1 failed, 1 passed, 2 total\\nTests:       5 passed, 5 total\\n', { tests: 1 });
    expect({ status, last }).toEqual({ status: 1, last: '5 passed, 1 failed' });
  });

  it('given no summary at all, does not claim success', () => {
    expect(ci('Out of memory\\n', { tests: 134 })).toMatchObject({ status: 134, last: '0 passed, 1 failed' });
  });

  it('given a failing check, still runs the tests and then fails', () => {
    const { status, last, stdout } = ci('Tests:       34 passed, 34 total\\n', { checks: 1 });
    expect(stdout).toContain('npm run --silent check');
    expect({ status, last }).toEqual({ status: 1, last: '34 passed, 0 failed' });
  });

  it('installs before anything else', () => {
    expect(ci('Tests:       1 passed, 1 total\\n').stdout.split('\n')[0]).toMatch(/^bootstrap /);
  });
});

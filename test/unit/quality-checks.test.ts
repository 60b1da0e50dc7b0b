import { describe, expect, it } from '@jest/globals';
import { seededTree } from '../support/seeded.ts';

const json = (value: unknown) => JSON.stringify(value, null, 2);

/** Runs a check of scripts/check in a tree of `files` and returns what it said. */
function check(script: string, files: Record<string, string>) {
  using tree = seededTree([], files);
  const { status, stderr } = tree.run(`scripts/check/${script}`);
  return { status, problems: stderr.split('\n').filter(Boolean) };
}

describe('the lock-file check', () => {
  const manifest = { dependencies: { a: '1.0.0' } };
  const packages = {
    '': manifest,
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a', optionalDependencies: { 'a-linux': '1.0.0', 'a-mac': '1.0.0' } },
    'node_modules/a-linux': { version: '1.0.0', integrity: 'sha512-b', optional: true },
    'node_modules/a/node_modules/a-mac': { version: '1.0.0', integrity: 'sha512-c', optional: true },
  };
  const run = (changed: object, declared: object = manifest) =>
    check('lock-file.mjs', { 'package.json': json(declared), 'package-lock.json': json({ packages: { ...packages, ...changed } }) });

  it('given a complete lock file, it is content', () => {
    expect(run({})).toEqual({ status: 0, problems: [] });
  });

  it.each([
    ['a platform package that is not locked', { 'node_modules/a-linux': undefined }, manifest, 'gap: '],
    ['a package without integrity', { 'node_modules/a-linux': { version: '1.0.0' } }, manifest, 'integrity: '],
    [
      'a package that names its registry',
      { 'node_modules/a-linux': { version: '1.0.0', integrity: 'x', resolved: `https://${'registry'}.example/a.tgz` } },
      manifest,
      'resolved: ',
    ],
    [
      'a second copy of a package that must be one',
      { 'node_modules/a/node_modules/protobufjs': { version: '7.0.0', integrity: 'x' } },
      manifest,
      'copies: ',
    ],
    ['a manifest that is newer than the lock', {}, { dependencies: { a: '1.0.1' } }, 'stale: '],
    ['a range instead of a version', { '': { dependencies: { a: '^1.0.0' } } }, { dependencies: { a: '^1.0.0' } }, 'range: '],
  ])('given %s, it fails and says so', (_name, changed, declared, problem) => {
    const { status, problems } = run(changed, declared);
    expect(status).toBe(1);
    expect(problems).toEqual([expect.stringMatching(`^${problem}`)]);
  });
});

describe('the citation check', () => {
  const files = { 'package.json': json({ scripts: { lint: 'x' } }), 'src/a.ts': '', 'docs/b.md': '', 'README.md': '' };

  it('given citations of what exists, and placeholders, it is content', () => {
    const text =
      'See `src/a.ts`, [b](docs/b.md#part), https://example.test/src/x.ts, `src/<noun>.ts`, `docs/decisions/NNNN-x.md`, `src/*/offer.ts`; npm run lint.';
    expect(check('doc-paths.ts', { ...files, 'README.md': text })).toEqual({ status: 0, problems: [] });
  });

  it.each([
    ['a path', 'README.md', 'See `src/gone.ts`.', 'README.md: cites src/gone.ts'],
    ['a link', 'docs/b.md', 'See [it](../docs/gone.md).', 'docs/b.md: cites docs/gone.md'],
    ['a script', 'README.md', 'Run `npm run gone`.', 'README.md: cites npm run gone'],
    ['a document in a comment', 'src/a.ts', '// docs/gone.md says why\n', 'src/a.ts: cites docs/gone.md'],
  ])('given %s that does not exist, it fails and names it', (_name, file, text, problem) => {
    const { status, problems } = check('doc-paths.ts', { ...files, [file]: text });
    expect(status).toBe(1);
    expect(problems).toEqual([expect.stringContaining(problem)]);
  });
});

describe('the leak check', () => {
  it('given relative paths, URLs and routes, it is content', () => {
    const [work, node] = [`${'/wo'}rk`, `${'/ho'}me/node/app`];
    const text = `src${work}/x.ts https://example.test${work}/1 ${node} /api/v1/root ./root/x \`\${root}${work}/x\` /worker/1`;
    expect(check('leaks.ts', { 'a.md': text })).toEqual({ status: 0, problems: [] });
  });

  it.each([
    ['a work folder', `see ${'/wo'}rk/main/x`],
    ['a home folder', `see ${'/ho'}me/ada/x`],
    ['the folder of root', `see ${'/ro'}ot/.cache`],
    ['a Mac', `see ${'/Us'}ers/ada/x`],
    ['a registry', `https://${'registry'}.npmjs.org/a`],
    ['a mirror', `https://packages.${'pypi'}.example.com/simple`],
    ['a private key', `-----BEGIN ${'PRIVATE'} KEY-----\nMIGHAgEAMBMGByqGSM49AgEG\n`],
  ])('given %s, it fails and names the file', (_name, text) => {
    const { status, problems } = check('leaks.ts', { 'docs/a.md': text });
    expect(status).toBe(1);
    expect(problems).toEqual([expect.stringMatching(/^docs\/a\.md:1: /)]);
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { drifts, pages, write, type Page } from '../../scripts/generate/pages.ts';
import { stateMachinesPage } from '../../scripts/generate/state-machines.ts';
import { errorCodes } from '../../src/domain/errors.ts';
import { defineMachine, type Machine } from '../../src/domain/machine.ts';
import { repository, seededTree } from '../support/seeded.ts';

describe('generated documents', () => {
  it('equal what the code prints; npm run generate writes them', () => {
    expect(drifts()).toEqual([]);
  });

  it('given a changed or a missing document, the check says which', () => {
    const first = pages[0] as Page;
    using tree = seededTree([], { [first.path]: `${readFileSync(join(repository, first.path), 'utf8')} ` });
    expect(drifts([first], tree.path)).toEqual([{ path: first.path, problem: 'differs' }]);
    expect(drifts([{ path: 'docs/generated/new.md', print: () => 'new' }], tree.path)).toEqual([
      { path: 'docs/generated/new.md', problem: 'missing' },
    ]);
    write([first], tree.path);
    expect(drifts([first], tree.path)).toEqual([]);
  });

  it('given a machine with a new status, the page of the machines changes', () => {
    const before = defineMachine('thing', ['on', 'off'], { stop: { from: ['on'], to: 'off' } });
    const after = defineMachine('thing', ['on', 'off', 'gone'], { stop: { from: ['on'], to: 'off' }, drop: { from: ['off'], to: 'gone' } });
    const print = (machine: unknown) => stateMachinesPage([machine as Machine<string, string, string>]);
    expect(print(before)).toContain('  on --> off: stop\n  off --> [*]');
    expect(print(after)).toContain('  off --> gone: drop\n  gone --> [*]');
  });

  it('name every error code and every route of the API', () => {
    const [, codes, openApi] = pages.map(({ print }) => print()) as [string, string, string];
    for (const code of errorCodes) expect(codes).toContain(`\`${code}\``);
    const { paths } = JSON.parse(openApi) as { paths: object };
    expect(Object.keys(paths).length).toBeGreaterThan(0);
  });
});

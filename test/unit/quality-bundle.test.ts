import { describe, expect, it } from '@jest/globals';
import { foreignPackages } from '../../scripts/check/bundle.ts';

const module = (path: string) => `"./node_modules/${path}": (module) => {},\n`;

describe('the content of the workflow bundle', () => {
  it('given the packages of the sandbox and calendar arithmetic, nothing is foreign', () => {
    const code = [
      '@temporalio/workflow/lib/index.js',
      '@temporalio/common/lib/x.js',
      'long/index.js',
      'ms/dist/index.cjs',
      'temporal-polyfill/index.js',
    ];
    expect(foreignPackages(code.map(module).join(''))).toEqual([]);
  });

  it.each(['zod', '@temporalio/client', '@mikro-orm/core', 'pg'])('given %s, it is named once', (name) => {
    expect(foreignPackages(module(`${name}/a.js`) + module(`${name}/b.js`))).toEqual([name]);
  });
});

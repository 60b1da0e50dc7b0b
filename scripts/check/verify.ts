/**
 * `npm run verify`: every check that needs no server, in seconds. CI passes `--static` to leave out the tests, because it runs
 * all tests afterwards.
 * Every check runs even when an earlier one has failed, so that one round shows all failures.
 */
import { spawn } from 'node:child_process';

interface Check {
  script: string;
  fix: string;
  args?: string[];
}

const checks: Check[] = [
  { script: 'types', fix: 'src must type-check' },
  {
    script: 'lint',
    fix: 'npm run lint -- --fix repairs some; an exception needs a disable comment with its reason',
    args: ['--', '--quiet'],
  },
  { script: 'deps', fix: 'see docs/architecture.md for who may import whom' },
  { script: 'format:check', fix: 'npm run format' },
  { script: 'lock-file', fix: 'npm install, and commit package-lock.json' },
  { script: 'doc-paths', fix: 'correct the citation' },
  { script: 'leaks', fix: 'take it out' },
  { script: 'build:workflows', fix: 'import less in src/workflows: what it reaches at run time is in the bundle' },
  { script: 'generate:check', fix: 'npm run generate, and commit docs/generated' },
];
const tests: Check[] = [{ script: 'test:fast', fix: 'npm run test:fast' }];

/** Runs one npm script; its output is shown only when it failed. */
function run({ script, fix, args = [] }: Check): Promise<boolean> {
  const began = performance.now();
  return new Promise((resolve) => {
    const child = spawn('npm', ['run', '--silent', script, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32',
    });
    const output: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk));
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk));
    child.on('close', (code) => {
      const took = `${((performance.now() - began) / 1000).toFixed(1)} s`;
      if (code === 0) console.log(`✓ ${script} ${took}`);
      else console.log(`${Buffer.concat(output).toString().trimEnd()}\n✗ ${script} ${took}: ${fix}`);
      resolve(code === 0);
    });
  });
}

/** Runs two checks at a time, because each uses a whole core. */
async function runAll(list: Check[]): Promise<boolean> {
  const waiting = [...list];
  let passed = true;
  const lane = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) passed = (await run(next)) && passed;
  };
  await Promise.all([lane(), lane()]);
  return passed;
}

const passed = await runAll(process.argv.includes('--static') ? checks : [...tests, ...checks]);
process.exit(passed ? 0 : 1);

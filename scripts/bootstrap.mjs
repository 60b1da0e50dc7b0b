// Needs nothing but Node 20. Installs missing packages, then runs a command under the pinned Node 24:
//   node scripts/bootstrap.mjs start|stop|token|test [arguments]
// This file must have no imports from node_modules and no syntax that Node 20 does not know.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const modules = join(root, 'node_modules');
const lockFile = join(root, 'package-lock.json');
const stampFile = join(modules, '.proxie-lock');
const wantedNode = [24, 11];

const envFile = existsSync(join(root, '.env')) ? ['--env-file=.env'] : [];
const targets = {
  start: [...envFile, 'src/dev/start.ts'],
  stop: [...envFile, 'src/dev/stop.ts'],
  token: [...envFile, 'src/dev/token.ts'],
  test: ['--experimental-vm-modules', '--disable-warning=ExperimentalWarning', 'node_modules/jest/bin/jest.js'],
};

const say = (line) => process.stderr.write(`${line}\n`);
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;
const lockHash = () => createHash('sha256').update(readFileSync(lockFile)).digest('hex');

function fail(message) {
  say(`\n✗ ${message}`);
  process.exit(1);
}

async function main() {
  const [name, ...args] = process.argv.slice(2);
  if (!Object.hasOwn(targets, name ?? '')) fail(`Say what to do: node scripts/bootstrap.mjs ${Object.keys(targets).join('|')}`);
  if (Number(process.versions.node.split('.')[0]) < 20)
    fail(`Node ${process.versions.node} is too old to begin with. Install Node 20 or newer.`);
  await installWhatIsMissing();
  run(pinnedNode(), [...targets[name], ...args]);
}

/** Runs `npm ci` when node_modules is missing, incomplete, or belongs to another lock file. */
async function installWhatIsMissing() {
  if (isInstalled()) return;
  const release = await installLock();
  try {
    if (!isInstalled()) await install(); // another start may have installed the packages in the meantime
  } finally {
    release();
  }
}

function isInstalled() {
  const hash = lockHash();
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8').trim() === hash) return true;
  if (!agreesWithLock()) return false;
  writeFileSync(stampFile, `${hash}\n`);
  return true;
}

/**
 * Whether the installed packages, by npm ci or npm install, are exactly those of the lock file. npm writes its own record last,
 * so the record exists only after a complete installation.
 */
function agreesWithLock() {
  const record = join(modules, '.package-lock.json');
  if (!existsSync(record)) return false;
  const installed = JSON.parse(readFileSync(record, 'utf8')).packages;
  const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  const isNeeded = ([path, entry]) => path !== '' && !entry.optional && !(entry.dev && process.env.NODE_ENV === 'production');
  return (
    Object.entries(wanted)
      .filter(isNeeded)
      .every(([path, entry]) => installed[path]?.version === entry.version) &&
    Object.entries(installed).every(([path, entry]) => wanted[path]?.version === entry.version)
  );
}

/**
 * Lets one process at a time install in a checkout. The holder touches the file every two seconds, so a file that was not
 * touched for 20 s belongs to a killed process. A pid in the file would not show that, because pids are reused.
 */
async function installLock() {
  const path = join(root, '.proxie', 'install.lock');
  mkdirSync(dirname(path), { recursive: true });
  for (let waited = 0; ; waited += 500) {
    try {
      closeSync(openSync(path, 'wx'));
      break;
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const touched = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
    if (Date.now() - touched > 20_000) rmSync(path, { force: true });
    else {
      if (waited % 5_000 === 0) say('… waiting for another start that is installing the packages');
      await sleep(500);
    }
  }
  const beat = setInterval(() => utimesSync(path, new Date(), new Date()), 2_000);
  const release = () => {
    clearInterval(beat);
    rmSync(path, { force: true });
  };
  process.once('exit', release);
  return release;
}

async function install() {
  const began = Date.now();
  say(
    `› npm ci: ${existsSync(modules) ? 'package-lock.json has changed' : 'node_modules is missing'}; installing the packages (about half a minute)`,
  );
  const hash = lockHash();
  // npm_execpath is npm's own script. Without it `npm` is called, which on Windows needs a shell.
  const npm = process.env.npm_execpath?.endsWith('.js') ? [process.execPath, process.env.npm_execpath] : ['npm'];
  const wanted = process.env.NODE_ENV === 'production' ? [] : ['--include=dev'];
  const child = spawn(npm[0], [...npm.slice(1), 'ci', '--include=optional', '--no-audit', '--no-fund', '--loglevel=error', ...wanted], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: npm.length === 1 && process.platform === 'win32',
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output = (output + chunk).slice(-4_000)));
  const progress = setInterval(() => say(`  still waiting for npm ci: downloading and unpacking (${seconds(began)})`), 5_000);
  const code = await new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (status, signal) => resolve(status ?? signal));
  });
  clearInterval(progress);
  if (code !== 0)
    fail(`npm ci ended with ${code}:\n${output.trim()}\n\nFix what it names (often the network or a registry setting), then start again.`);
  writeFileSync(stampFile, `${hash}\n`);
  say(`✓ npm ci (${seconds(began)})`);
}

/** The Node that package-lock.json pins, or our own Node when it is new enough (there is no pinned one for macOS). */
function pinnedNode() {
  const platform = process.platform === 'win32' ? 'win' : process.platform;
  const file = join(modules, `node-${platform}-${process.arch}`, 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (existsSync(file) && spawnSync(file, ['--version']).status === 0) return file;
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > wantedNode[0] || (major === wantedNode[0] && minor >= wantedNode[1])) return process.execPath;
  return fail(
    `Node ${wantedNode.join('.')} or newer is needed, this is ${process.versions.node}, and no pinned one runs on ${process.platform}-${process.arch}.\n` +
      `  Install Node ${wantedNode.join('.')} or newer (for example: nvm install 24), then start again.`,
  );
}

/** Runs a command in place of this process: same terminal, forwarded signals, same exit code. */
function run(node, args) {
  const env = { ...process.env, PATH: [join(modules, '.bin'), process.env.PATH].join(delimiter) };
  const child = spawn(node, args, { cwd: root, env, stdio: 'inherit' });
  // With Ctrl-C the terminal signals the child too. The child counts the same signal twice in a row as one.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  child.once('error', (error) => fail(`${node} does not start: ${error.message}`));
  child.once('exit', (code, signal) => {
    if (signal === null) process.exit(code);
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  });
}

await main();

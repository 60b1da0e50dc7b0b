/**
 * Checks that `npm ci` accepts the lock file on every platform, and that the lock file names no machine. Needs Node built-ins
 * only.
 * Usage: lock-file.mjs [package-lock.json]
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const path = process.argv[2] ?? 'package-lock.json';
const lock = JSON.parse(readFileSync(path, 'utf8'));
const manifest = JSON.parse(readFileSync(join(dirname(path), 'package.json'), 'utf8'));
const problems = [];

/** Looks a package up as Node does: in the nearest node_modules above the importing package. */
function isLocked(from, name) {
  for (let base = from; ;) {
    if (lock.packages[`${base ? `${base}/` : ''}node_modules/${name}`]) return true;
    if (!base) return false;
    const up = base.lastIndexOf('/node_modules/');
    base = up < 0 ? '' : base.slice(0, up);
  }
}

for (const [location, locked] of Object.entries(lock.packages)) {
  const where = `${location || '<root>'}@${locked.version}`;
  // npm leaves out platform packages that it did not find when it wrote the lock file. `npm ci` then refuses the lock file.
  for (const name of Object.keys(locked.optionalDependencies ?? {})) {
    if (!isLocked(location, name)) problems.push(`gap: ${where} names ${name}, which is not locked; pin the parent in "overrides"`);
  }
  if (location === '' || locked.link || locked.inBundle) continue;
  if (!locked.integrity) problems.push(`integrity: ${where} has none; install it again with npm install`);
  if (locked.resolved)
    problems.push(`resolved: ${where} names a host; keep omit-lockfile-registry-resolved=true in .npmrc and install again`);
}

// Two copies of these packages fail only at run time: histories are not converted, `instanceof` does not match. gRPC has its
// own copy of protobufjs.
const single = /(?:^|\/)node_modules\/(protobufjs|@temporalio\/(?:activity|client|common|proto|worker|workflow))$/;
const copies = Object.keys(lock.packages).filter((location) => single.test(location) && !location.includes('node_modules/@grpc/'));
for (const location of copies) {
  const name = single.exec(location)?.[1];
  if (location !== `node_modules/${name}`) problems.push(`copies: ${location} is a second ${name}; pin one version in "overrides"`);
}

for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
  for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
    if (!/^\d+\.\d+\.\d+(?:-[\w.]+)?$/.test(range))
      problems.push(`range: ${name}@${range} is not an exact version; save-exact=true writes one`);
    if (lock.packages['']?.[kind]?.[name] !== range)
      problems.push(`stale: package.json wants ${name}@${range}, the lock file does not; run npm install`);
  }
}

for (const problem of problems) console.error(problem);
console.log(`${Object.keys(lock.packages).length - 1} locked packages, ${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);

/**
 * Checks the import rules of .dependency-cruiser.mjs. Three more checks prove that the result is complete: every source file
 * was cruised, every import was seen, and workflows reach nothing at run time but rules and @temporalio.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filesBelow } from './files.ts';

interface Dependency {
  module: string;
  resolved: string;
  dependencyTypes: string[];
}
interface Cruise {
  modules: { source: string; dependencies: Dependency[] }[];
  summary: {
    violations: { rule: { name: string }; from: string; to: string; cycle?: { name: string }[] }[];
    ruleSetUsed: { forbidden: { name: string; comment: string }[] };
  };
}

const root = process.cwd();
// Tests are not cruised, because they may use `using`, at which swc's visitor stops.
const folders = ['src', 'scripts', 'bench'].filter((folder) => existsSync(join(root, folder)));

function cruise(): Cruise {
  const bin = join(root, 'node_modules/.bin/depcruise');
  const { stdout, stderr } = spawnSync(process.execPath, [bin, '-c', '.dependency-cruiser.mjs', '-T', 'json', ...folders], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  if (!stdout.startsWith('{')) throw new Error(`dependency-cruiser did not run: ${stdout}${stderr}`);
  return JSON.parse(stdout) as Cruise;
}

/** Import specifiers by plain text search. They check the cruiser's parser, which reports success for imports that it misses. */
function importsIn(path: string): string[] {
  const text = readFileSync(join(root, path), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '');
  return [...text.matchAll(/^(?:import|export)\s(?:[^'";]*?\sfrom\s)?'([^']+)'/gm)].map((match) => match[1] ?? '');
}

function unseen({ modules }: Cruise): string[] {
  const seen = new Map(
    modules.map(({ source, dependencies }) => [source, new Set(dependencies.map(({ module }) => module.replace(/^node:/, '')))]),
  );
  return filesBelow(root, folders, /\.(?:ts|mjs)$/).flatMap((path) => {
    const dependencies = seen.get(path);
    if (!dependencies) return [`unseen-file: ${path} was not cruised`];
    return importsIn(path)
      .filter((name) => !dependencies.has(name.replace(/^node:/, '')))
      .map((name) => `unseen-import: ${path} imports ${name}, which was not seen`);
  });
}

const inWorkflowBundle =
  /^src\/(?:workflows|domain|contracts)\/|node_modules\/(?:@temporalio\/(?:workflow|common)|temporal-(?:polyfill|spec|utils))\//;

/** Modules that would end up in the workflow bundle and do not belong there. Type-only imports are not followed. */
function bundleIntruders({ modules }: Cruise): string[] {
  const edges = new Map(modules.map(({ source, dependencies }) => [source, dependencies]));
  const roots = [...edges.keys()].filter((path) => /^src\/(?:workflows\/|contracts\/.*\.messages\.ts$)/.test(path));
  const cameFrom = new Map(roots.map((path) => [path, '']));
  const intruders: string[] = [];
  for (const path of cameFrom.keys()) {
    for (const { resolved, dependencyTypes } of edges.get(path) ?? []) {
      if (dependencyTypes.includes('type-only')) continue;
      if (!inWorkflowBundle.test(resolved))
        intruders.push(`workflow-bundle: ${pathTo(path, cameFrom)} → ${resolved} would end up in the bundle of the workflows`);
      else if (!cameFrom.has(resolved)) cameFrom.set(resolved, path);
    }
  }
  return intruders;
}

function pathTo(end: string, cameFrom: Map<string, string>): string {
  const steps = [];
  for (let step = end; step; step = cameFrom.get(step) ?? '') steps.unshift(step);
  return steps.join(' → ');
}

const result = cruise();
const comments = new Map(result.summary.ruleSetUsed.forbidden.map(({ name, comment }) => [name, comment]));
const problems = [
  ...result.summary.violations.map(
    ({ rule, from, to, cycle }) =>
      `${rule.name}: ${[from, ...(cycle?.map(({ name }) => name) ?? [to])].join(' → ')}\n    ${comments.get(rule.name)}`,
  ),
  ...unseen(result),
  ...bundleIntruders(result),
];
for (const problem of problems) console.error(problem);
console.log(
  `${result.modules.filter(({ source }) => folders.includes(source.split('/')[0] ?? '')).length} files, ${problems.length} violations`,
);
process.exit(problems.length === 0 ? 0 : 1);

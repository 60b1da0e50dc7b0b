/**
 * Who may import whom (docs/architecture.md). Folders are runtimes with different laws: workflows deterministic,
 * activities idempotent, the API quick. Every rule is an allow-list and has a seeded violation in test/unit/quality-deps.test.ts.
 * Run by scripts/check/deps.ts, which also proves that every file and every import was seen.
 */
const src = (...folders) => folders.map((folder) => `^src/${folder}/`);
const npm = (...names) => names.map((name) => `node_modules/${name}/`);
const builtin = ['core'];
const external = ['npm', 'npm-dev', 'npm-optional', 'npm-peer', 'npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'];
/** `import type` vanishes before anything runs, so it carries no dependency into a bundle. */
const runtimeOnly = { dependencyTypesNot: ['type-only'] };
const compositionRoots = ['^src/worker\\.ts$', '^src/migrate\\.ts$', '^src/reconcile\\.ts$', '^src/api/server\\.ts$', '^src/dev/'];

/** `folder` may import itself and `allowed`, nothing else of src; types of the configuration cross everywhere. */
function only(folder, allowed, comment) {
  return {
    name: `only-${folder}`,
    severity: 'error',
    comment,
    from: { path: `^src/${folder}/`, pathNot: compositionRoots },
    to: { path: '^src/', pathNot: [`^src/${folder}/`, ...allowed] },
  };
}

/** `folder` may import these npm packages and Node built-ins, nothing else from outside src. */
function packages(name, from, allowed, comment) {
  return { name, severity: 'error', comment, from, to: { dependencyTypes: [...external, ...builtin], pathNot: allowed } };
}

/** Contracts that workflows load: their names say so, and scripts/check/deps.ts follows what they reach. */
const zodFree = ['\\.messages\\.ts$', '^src/contracts/(?:event|failures|queues|timeline|search-attributes)\\.ts$'];
const configType = '^src/config\\.';
const forbidden = [
  only('domain', [], 'The rules know nothing of the world: pass ids and `now` as arguments.'),
  only('contracts', src('domain'), 'Contracts are shapes and names; move behaviour to domain, activities or api.'),
  only('workflows', src('domain', 'contracts', 'activities'), 'Workflows are deterministic: reach the world through an activity.'),
  only(
    'activities',
    [...src('domain', 'contracts', 'db', 'integrations', 'temporal'), configType],
    'Activities use db, integrations and temporal.',
  ),
  only(
    'api',
    [...src('domain', 'contracts', 'db', 'temporal'), configType],
    'A route sends a command or reads rows. It never imports workflows or activities.',
  ),
  ...['db', 'integrations', 'temporal'].map((folder) =>
    only(
      folder,
      [...src('domain', 'contracts'), configType],
      `${folder} knows nothing of HTTP, workflows or its neighbours; wire it in a composition root.`,
    ),
  ),
  {
    name: 'config-by-type',
    severity: 'error',
    comment: 'Configuration is loaded once, in a composition root, and passed down: import its type, not its value.',
    from: { path: '^src/', pathNot: [...compositionRoots, configType] },
    to: { path: configType, ...runtimeOnly },
  },
  {
    name: 'dev-is-outermost',
    severity: 'error',
    comment: 'src/dev is not part of a production image.',
    from: { path: '^src/', pathNot: '^src/dev/' },
    to: { path: '^src/dev/' },
  },
  {
    name: 'workflows-see-activities-by-type',
    severity: 'error',
    comment: 'Write `import type`: an activity in the workflow bundle drags its database and its SDKs along.',
    from: { path: '^src/workflows/' },
    to: { path: '^src/activities/', ...runtimeOnly },
  },
  {
    name: 'messages-see-schemas-by-type',
    severity: 'error',
    comment: 'Write `import type`: zod costs 614 KB of heap per cached workflow against 34 KB.',
    from: { path: '^src/contracts/.*\\.messages\\.ts$' },
    to: { path: ['^src/contracts/', 'node_modules/zod'], pathNot: zodFree, ...runtimeOnly },
  },
  {
    name: 'workflows-see-messages-only',
    severity: 'error',
    comment: 'At run time workflows import *.messages.ts and the zod-free contracts; schemas by `import type`.',
    from: { path: '^src/workflows/' },
    to: { path: '^src/contracts/', pathNot: zodFree, ...runtimeOnly },
  },
  packages(
    'pure-domain',
    { path: '^src/domain/', pathNot: '^src/domain/calendar/(?:local-time|quiet-hours)' },
    [],
    'Domain needs no package and no Node built-in: take what you need as an argument.',
  ),
  packages(
    'pure-local-time',
    { path: '^src/domain/calendar/(?:local-time|quiet-hours)' },
    npm('temporal-polyfill', 'temporal-spec', 'temporal-utils'),
    'Calendar arithmetic may use temporal-polyfill (docs/decisions/0005-domain-may-use-temporal-polyfill.md), nothing else.',
  ),
  packages(
    'pure-workflows',
    { path: '^src/workflows/' },
    npm('@temporalio/workflow', '@temporalio/common'),
    'The workflow sandbox has no Node and no packages but @temporalio/workflow and /common.',
  ),
  packages(
    'small-contracts',
    { path: '^src/contracts/' },
    [...npm('@temporalio/workflow', '@temporalio/common', 'zod', 'zod-openapi'), '^crypto$'],
    'Contracts use zod, the define* functions of Temporal, and hashes that both sides must agree on; nothing else.',
  ),
  {
    name: 'no-cycle',
    severity: 'error',
    comment: 'Two files that know each other, even by `import type` only, are one file in two places. Move the shared part down.',
    from: { path: '^src/' },
    to: { circular: true },
  },
  {
    name: 'no-dev-dependency-in-production',
    severity: 'error',
    comment: 'The production image installs without devDependencies.',
    from: { path: '^src/', pathNot: '^src/dev/' },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'], pathNot: 'node_modules/@types/' },
  },
  {
    name: 'declared-dependency',
    severity: 'error',
    comment: 'Add the package to package.json: what is only there because something else needs it can vanish.',
    from: { path: '^(?:src|scripts|bench)/' },
    to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
  },
  {
    name: 'resolvable',
    severity: 'error',
    comment: 'This import leads nowhere.',
    from: {},
    to: { couldNotResolve: true },
  },
  {
    name: 'source-knows-no-test',
    severity: 'error',
    comment: 'Production code imports no test, script or benchmark.',
    from: { path: '^src/' },
    to: { path: '^(?:test|scripts|bench)/' },
  },
];

export default {
  forbidden,
  options: {
    // TypeScript 7 has no compiler API: with the default parser dependency-cruiser finds nothing and reports success.
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      extensions: ['.ts', '.mjs', '.js', '.json'],
    },
  },
};

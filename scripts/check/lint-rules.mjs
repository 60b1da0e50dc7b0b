/**
 * Rules that oxlint lacks: no clock or random numbers in pure code, synchronous update validators, handlers before the first
 * await, no module state in workflows. The rules for SQL are in lint-sql.mjs. .oxlintrc.json loads this file;
 * test/unit/quality-lint.test.ts has seeded violations.
 */
import { constantSql, oneSqlPath } from './lint-sql.mjs';

/** The name of a member expression, such as `Date.now` or `crypto.randomUUID`, else ''. */
function memberName(node) {
  if (node.type !== 'MemberExpression' || node.object.type !== 'Identifier') return '';
  const { property } = node;
  const name = property.type === 'Identifier' && !node.computed ? property.name : property.type === 'Literal' ? String(property.value) : '';
  return `${node.object.name}.${name}`;
}

const impureMembers = new Map([
  ['Date.now', 'take `now` as an argument'],
  ['Math.random', 'take a seed or the number as an argument'],
  ['performance.now', 'take `now` as an argument'],
  ['Intl.DateTimeFormat', 'formatting depends on the host; return the instant and the zone'],
]);
const impureGlobals = new Map([
  ['crypto', 'take the id as an argument'],
  ['performance', 'take `now` as an argument'],
  ['process', 'take the value as an argument'],
  ['fetch', 'do it in an activity'],
  ['setTimeout', 'time belongs to workflows'],
  ['setInterval', 'time belongs to workflows'],
  ['setImmediate', 'time belongs to workflows'],
  ['console', 'return what happened'],
]);

/** Whether an identifier names a global, not a property, a key, or a declaration of the file. */
function isGlobal(context, node) {
  const { parent } = node;
  if (parent.type === 'MemberExpression' && parent.property === node && !parent.computed) return false;
  if (parent.type === 'Property' && parent.key === node && !parent.computed && !parent.shorthand) return false;
  if (parent.type.startsWith('TS') || parent.type === 'PropertyDefinition' || parent.type === 'MethodDefinition') return false;
  for (let scope = context.sourceCode.getScope(node); scope; scope = scope.upper) {
    if (scope.set.get(node.name)?.defs.length) return false;
  }
  return true;
}

const pureDomain = {
  create(context) {
    const report = (node, what, instead) => context.report({ node, message: `${what} in pure code: ${instead}.` });
    return {
      MemberExpression(node) {
        const instead = impureMembers.get(memberName(node));
        if (instead) report(node, memberName(node), instead);
      },
      NewExpression(node) {
        if (node.callee.type === 'Identifier' && node.callee.name === 'Date' && node.arguments.length === 0)
          report(node, 'new Date()', 'take `now` as an argument');
      },
      CallExpression(node) {
        if (node.callee.type === 'Identifier' && node.callee.name === 'Date') report(node, 'Date()', 'take `now` as an argument');
      },
      Identifier(node) {
        const instead = impureGlobals.get(node.name);
        if (instead && isGlobal(context, node)) report(node, node.name, instead);
      },
    };
  },
};

/** Functions of this file by name: a validator is often declared elsewhere in its file. */
function namedFunctions(program) {
  const found = new Map();
  for (const statement of program.body) {
    const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
    if (node?.type === 'FunctionDeclaration' && node.id) found.set(node.id.name, node);
    for (const { id, init } of node?.type === 'VariableDeclaration' ? node.declarations : [])
      if (id.type === 'Identifier' && init) found.set(id.name, init);
  }
  return found;
}

const syncValidator = {
  create(context) {
    let functions = new Map();
    return {
      Program(node) {
        functions = namedFunctions(node);
      },
      Property(node) {
        if (node.computed || (node.key.name ?? node.key.value) !== 'validator') return;
        const value = node.value.type === 'Identifier' ? functions.get(node.value.name) : node.value;
        if (value?.async) {
          context.report({
            node,
            message: 'An update validator must be synchronous: an async one that throws fails the workflow task and the run is stuck.',
          });
        }
      },
    };
  },
};

const functionTypes = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);

/**
 * The workflow function (exported, named …Workflow) that directly contains `node`, else undefined. Awaits inside handlers do
 * not count.
 */
function enclosingWorkflow(node) {
  let current = node.parent;
  while (current && !functionTypes.has(current.type)) current = current.parent;
  const name = current?.id?.name ?? (current?.parent?.type === 'VariableDeclarator' ? current.parent.id.name : undefined);
  return name?.endsWith('Workflow') ? current : undefined;
}

const handlersFirst = {
  create(context) {
    const awaited = new Set();
    const note = (node) => {
      const workflow = enclosingWorkflow(node);
      if (workflow) awaited.add(workflow);
    };
    return {
      'AwaitExpression:exit': note,
      CallExpression(node) {
        if (node.callee.type !== 'Identifier' || node.callee.name !== 'setHandler') return;
        if (awaited.has(enclosingWorkflow(node))) {
          context.report({
            node,
            message: 'Set handlers before the first await: a message that comes earlier is lost or answered with an error.',
          });
        }
      },
    };
  },
};

const noModuleState = {
  create(context) {
    return {
      Program(program) {
        for (const statement of program.body) {
          const node = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
          if (node?.type === 'VariableDeclaration' && node.kind !== 'const' && !node.declare) {
            context.report({ node, message: 'State of the module outlives a run: keep it in the state that `evolve` folds.' });
          }
        }
      },
    };
  },
};

/** `process.env`, `const { env } = process` and `import { env } from 'node:process'`. */
const envOnlyInConfig = {
  create(context) {
    const report = (node) =>
      context.report({ node, message: 'Only src/config.ts reads the environment: add a key to its schema and pass the value down.' });
    return {
      MemberExpression(node) {
        if (memberName(node) === 'process.env') report(node);
      },
      VariableDeclarator(node) {
        if (node.init?.type !== 'Identifier' || node.init.name !== 'process' || node.id.type !== 'ObjectPattern') return;
        if (node.id.properties.some((property) => property.key?.name === 'env')) report(node);
      },
      ImportDeclaration(node) {
        if (!/^(?:node:)?process$/.test(node.source.value)) return;
        if (node.specifiers.some((specifier) => specifier.imported?.name === 'env')) report(node);
      },
    };
  },
};

export default {
  meta: { name: 'proxie' },
  rules: {
    'pure-domain': pureDomain,
    'sync-validator': syncValidator,
    'handlers-first': handlersFirst,
    'no-module-state': noModuleState,
    'env-only-in-config': envOnlyInConfig,
    'one-sql-path': oneSqlPath,
    'constant-sql': constantSql,
  },
};

// Rules about SQL: all SQL takes one path, and its texts contain no values. Part of the plugin in lint-rules.mjs.

const functionTypes = new Set(['FunctionExpression', 'ArrowFunctionExpression']);
const driverPackages = /^(?:pg|pg-pool|pg-cursor|kysely|@mikro-orm\/sql)(?:\/|$)/;
/**
 * Members of an entity manager or a connection that send SQL or lead to one that does. Proxie uses none of the ORM's own reads
 * and writes.
 */
const sqlDoors = new Set([
  ...['execute', 'getKysely', 'getConnection', 'getDriver', 'getNativeClient', 'createQueryBuilder', 'qb'],
  ...['nativeUpdate', 'nativeDelete', 'insertMany', 'upsert', 'upsertMany', 'findOne', 'findOneOrFail', 'findAll', 'persist', 'flush'],
]);

/**
 * `sql` of src/db/orm.ts is the one path (docs/decisions/0025-one-sql-path.md). Code that needs another path says why in an
 * inline disable on its line.
 */
export const oneSqlPath = {
  create(context) {
    const report = (node) =>
      context.report({ node, message: 'SQL goes through `sql` of src/db/orm.ts: values are bound there, and Postgres knows the text.' });
    return {
      ImportDeclaration(node) {
        if (node.importKind !== 'type' && driverPackages.test(node.source.value)) report(node);
      },
      CallExpression({ callee }) {
        if (callee.type === 'MemberExpression' && !callee.computed && sqlDoors.has(callee.property.name)) report(callee.property);
      },
    };
  },
};

/**
 * Whether an expression in a text is the same for every call: it consists of literals and of names that the module declares or
 * imports. `pageAfter` and `ownedBy` choose one of two texts, so they count as constant. The condition of `a ? 'x' : 'y'` may
 * be anything.
 */
function isConstantText(context, node) {
  const constant = (one) => isConstantText(context, one);
  if (node.type === 'Literal') return true;
  if (node.type === 'TemplateLiteral') return node.expressions.every(constant);
  if (node.type === 'ConditionalExpression') return constant(node.consequent) && constant(node.alternate);
  if (node.type === 'LogicalExpression' && node.operator === '&&') return constant(node.right);
  if (node.type === 'BinaryExpression') return constant(node.left) && constant(node.right);
  if (node.type === 'ArrayExpression') return node.elements.every(constant);
  if (node.type === 'MemberExpression') return constant(node.object);
  if (node.type === 'CallExpression')
    return constant(node.callee) && node.arguments.every((one) => functionTypes.has(one.type) || constant(one));
  if (node.type !== 'Identifier') return false;
  const variable = variableOf(context, node);
  if (!variable) return false;
  if (variable.scope.type === 'module' || variable.scope.type === 'global') return true;
  const { init } = variable.defs[0]?.node ?? {};
  return init?.type === 'CallExpression' && pagers.has(init.callee.name);
}

const pagers = new Set(['pageAfter', 'ownedBy']);

function variableOf(context, node) {
  for (let scope = context.sourceCode.getScope(node); scope; scope = scope.upper) {
    const variable = scope.set.get(node.name);
    if (variable?.defs.length) return variable;
  }
  return undefined;
}

/**
 * Refuses values inside a text. A text with a value is a new statement for each call: Postgres parses it again, and the value
 * is not escaped.
 */
export const constantSql = {
  create(context) {
    return {
      CallExpression({ callee, arguments: [, text] }) {
        if (callee.type !== 'Identifier' || callee.name !== 'sql' || !text || isConstantText(context, text)) return;
        context.report({
          node: text,
          message: 'A statement is a constant text: bind values with `?`. If this one has few forms, say which in an inline disable.',
        });
      },
    };
  },
};

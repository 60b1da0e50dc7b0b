import { loadClientConnectConfig, type ClientConnectConfig } from '@temporalio/envconfig';
import { z } from 'zod';
import { taskQueues, type TaskQueue } from './contracts/queues.ts';
import { toPolicy } from './config.policy.ts';
import { unknownKeys } from './config.spelling.ts';
import { cachedWorkflows, workerProblems, workflowTasks } from './config.worker.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The `iss` of tokens from the development issuer. Production refuses it. */
export const DEV_ISSUER = 'urn:proxie:development-issuer';
/** Prefix of the secrets that `npm start` makes, so that production recognises and refuses them. */
export const DEV_SECRET_PREFIX = 'proxie-dev-';

const port = z.coerce.number('must be a port').int('must be a port').min(1, 'must be a port').max(65_535, 'must be a port');
const milliseconds = z.coerce.number('must be milliseconds').int('must be whole milliseconds').nonnegative('must not be negative');
const positive = z.coerce.number('must be a number').int('must be a whole number').min(1, 'must be at least 1');
const secret = z
  .string()
  .refine((value) => Buffer.byteLength(value) >= 32, 'must have at least 32 bytes; make one with: openssl rand -base64 32');
const urlOf = (...protocols: string[]) =>
  z
    .string()
    .refine(
      (value) => URL.canParse(value) && protocols.includes(new URL(value).protocol),
      `must be a URL with ${protocols.map((protocol) => `${protocol}//`).join(' or ')}`,
    );

/** Every key that Proxie reads. `.env.example` lists the same keys. */
const schema = z.object({
  NODE_ENV: z.enum(['development', 'test', 'production'], 'must be development, test or production').default('development'),
  LOG_LEVEL: z.enum(['silent', 'fatal', 'error', 'warn', 'info', 'debug', 'trace'], 'must be a pino level, e.g. info').default('info'),

  DATABASE_URL: urlOf('postgres:', 'postgresql:'),
  DATABASE_POOL_MAX: positive.default(10),

  HOST: z.string().default('127.0.0.1'),
  PORT: port.default(3000),
  PUBLIC_URL: urlOf('http:', 'https:').optional(),
  TRUST_PROXY_HOPS: z.coerce.number('must be a number').int('must be a whole number').nonnegative('must not be negative').default(0),
  COMMAND_DEADLINE_MS: milliseconds.default(10_000),
  RATE_LIMIT_PER_MINUTE: positive.default(600),
  RATE_LIMIT_ANONYMOUS_PER_MINUTE: positive.default(120),
  EVENT_STREAMS_PER_USER: positive.default(10),
  CORS_ORIGINS: z.string().default('').transform(toOrigins),
  REDIS_URL: urlOf('redis:', 'rediss:').optional(),

  AUTH_JWKS_URL: urlOf('http:', 'https:'),
  AUTH_ISSUER: z.string(),
  AUTH_AUDIENCE: z.string(),
  AUTH_GUEST_SECRET: secret.optional(),
  CURSOR_SECRET: secret,

  TEMPORAL_ADDRESS: z.string().optional(),
  TEMPORAL_NAMESPACE: z.string().optional(),
  TEMPORAL_API_KEY: z.string().optional(),
  TEMPORAL_TLS: z.string().optional(),

  WORKER_QUEUES: z.string().default(taskQueues.join(',')).transform(toQueues),
  WORKER_METRICS_PORT: port.optional(),
  WORKER_SHUTDOWN_GRACE_MS: milliseconds.default(70_000),
  WORKER_MAX_WORKFLOW_TASKS: workflowTasks,
  WORKER_STACK_TRACES: z.enum(['on', 'off'], 'must be on or off').default('off'),
  WORKER_MAX_CACHED_WORKFLOWS: cachedWorkflows,
  POLICY: z.string().default('{}').transform(toPolicy),

  OPENAI_API_KEY: z.string().optional(),
  OPENAI_BASE_URL: urlOf('http:', 'https:').optional(),
  LLM_MODEL: z.string().default('gpt-4.1-mini'),
  LLM_TIMEOUT_MS: milliseconds.default(20_000),

  PAYMENTS: z.enum(['none', 'stripe'], 'must be none or stripe').default('none'),
  STRIPE_SECRET_KEY: z
    .string()
    .regex(/^[sr]k_/, 'must be a secret or restricted key (sk_… or rk_…)')
    .optional(),
  STRIPE_WEBHOOK_SECRET: z
    .string()
    .regex(/^whsec_\S{8,}$/, 'must be the signing secret of the webhook endpoint (whsec_…)')
    .optional(),
  STRIPE_API_URL: urlOf('http:', 'https:').optional(),

  OUTBOUND_ALLOWED_ORIGINS: z.string().default('').transform(toOrigins),

  SMTP_URL: urlOf('smtp:', 'smtps:').optional(),
  MAIL_FROM: z.string().default('Proxie <no-reply@localhost>'),

  PROXIE_HOME: z.string().default('.proxie'),
  PROXIE_POSTGRES_PORT: port.optional(),
  PROXIE_TEMPORAL_PORT: port.optional(),
  PROXIE_TEMPORAL_UI_PORT: port.optional(),
  PROXIE_ISSUER_PORT: port.optional(),
});

/** Keys that `npm start` sets itself when they are missing. */
const suppliedByStack = { DATABASE_URL: true, AUTH_JWKS_URL: true, AUTH_ISSUER: true, AUTH_AUDIENCE: true, CURSOR_SECRET: true } as const;
const stackSchema = schema.partial(suppliedByStack);

export const configKeys = Object.keys(schema.shape) as (keyof typeof schema.shape)[];

/** The configuration cannot be used. The message names keys and rules, never values, because it may be logged. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(`The configuration cannot be used:\n${problems.map((problem) => `  - ${problem}`).join('\n')}\nSee .env.example for every key.`);
    this.problems = problems;
  }
}

/**
 * The configuration of one process, checked and frozen. Composition roots call it once and pass it down.
 * @throws ConfigError naming every missing or wrong key
 */
export function loadConfig(env: Environment = process.env) {
  const { values, warnings } = parse(schema, env, commonProblems);
  return deepFreeze({
    environment: values.NODE_ENV,
    logLevel: values.LOG_LEVEL,
    database: { url: values.DATABASE_URL, poolMax: values.DATABASE_POOL_MAX },
    http: {
      host: values.HOST,
      port: values.PORT,
      publicUrl: (values.PUBLIC_URL ?? `http://${values.HOST}:${values.PORT}`).replace(/\/+$/, ''),
      trustProxyHops: values.TRUST_PROXY_HOPS,
      commandDeadlineMs: values.COMMAND_DEADLINE_MS,
      rateLimitPerMinute: values.RATE_LIMIT_PER_MINUTE,
      rateLimitAnonymousPerMinute: values.RATE_LIMIT_ANONYMOUS_PER_MINUTE,
      eventStreamsPerUser: values.EVENT_STREAMS_PER_USER,
      corsOrigins: values.CORS_ORIGINS,
    },
    redisUrl: values.REDIS_URL,
    auth: {
      jwksUrl: values.AUTH_JWKS_URL,
      issuer: values.AUTH_ISSUER,
      audience: values.AUTH_AUDIENCE,
      guestSecret: values.AUTH_GUEST_SECRET,
    },
    cursorSecret: values.CURSOR_SECRET,
    temporal: temporalConnection(env),
    worker: {
      queues: values.WORKER_QUEUES,
      metricsPort: values.WORKER_METRICS_PORT,
      shutdownGraceMs: values.WORKER_SHUTDOWN_GRACE_MS,
      maxWorkflowTasks: values.WORKER_MAX_WORKFLOW_TASKS,
      stackTraces: values.WORKER_STACK_TRACES === 'on',
      maxCachedWorkflows: values.WORKER_MAX_CACHED_WORKFLOWS,
    },
    policy: { ...values.POLICY, payments: values.PAYMENTS },
    payments:
      values.PAYMENTS === 'stripe'
        ? { secretKey: values.STRIPE_SECRET_KEY!, webhookSecret: values.STRIPE_WEBHOOK_SECRET!, apiUrl: values.STRIPE_API_URL }
        : undefined,
    llm: { apiKey: values.OPENAI_API_KEY, baseUrl: values.OPENAI_BASE_URL, model: values.LLM_MODEL, timeoutMs: values.LLM_TIMEOUT_MS },
    outbound: { allowedOrigins: values.OUTBOUND_ALLOWED_ORIGINS },
    mail: { smtpUrl: values.SMTP_URL, from: values.MAIL_FROM },
    /** Sentences for the log at start: keys that look like ours but are unknown. */
    warnings,
  });
}
export type Config = ReturnType<typeof loadConfig>;

/**
 * The configuration of tools that use only the database and Temporal: reconcile, migrate.
 * @throws ConfigError
 */
export function loadToolConfig(env: Environment = process.env) {
  const { values } = parse(stackSchema, env, () =>
    env.DATABASE_URL ? [] : ['DATABASE_URL is missing (or start the stack first: npm start)'],
  );
  return deepFreeze({ database: { url: values.DATABASE_URL! }, temporal: temporalConnection(env) });
}

/**
 * The configuration that `npm start` reads before it supplies the rest. The keys that it supplies are optional here.
 * `inherited` is the environment that child processes build on.
 * @throws ConfigError, in production also for every server and key that would have to be embedded
 */
export function loadStackConfig(env: Environment = process.env) {
  const { values, warnings } = parse(stackSchema, env, commonProblems);
  const isSet = (key: keyof typeof values) => Boolean(env[key]);
  return deepFreeze({
    environment: values.NODE_ENV,
    home: values.PROXIE_HOME,
    databaseUrl: values.DATABASE_URL,
    temporalAddress: values.TEMPORAL_ADDRESS,
    temporalNamespace: values.TEMPORAL_NAMESPACE ?? 'default',
    temporal: temporalConnection(env),
    jwksUrl: values.AUTH_JWKS_URL,
    host: values.HOST,
    shutdownGraceMs: isSet('WORKER_SHUTDOWN_GRACE_MS') ? values.WORKER_SHUTDOWN_GRACE_MS : undefined,
    /** Ports that the environment names. A named port that is busy is an error; without a name, the next free port is taken. */
    ports: {
      api: isSet('PORT') ? values.PORT : undefined,
      workerMetrics: values.WORKER_METRICS_PORT,
      postgres: values.PROXIE_POSTGRES_PORT,
      temporal: values.PROXIE_TEMPORAL_PORT,
      temporalUi: values.PROXIE_TEMPORAL_UI_PORT,
      issuer: values.PROXIE_ISSUER_PORT,
    },
    warnings,
    inherited: { ...env },
  });
}
export type StackConfig = ReturnType<typeof loadStackConfig>;

/** How to reach Temporal, by Temporal's own rules (`TEMPORAL_*`, profile file), so that its CLI and Proxie always agree. */
function temporalConnection(env: Environment): ClientConnectConfig {
  const defined = Object.entries(env).filter((entry): entry is [string, string] => Boolean(entry[1]));
  try {
    return loadClientConnectConfig({ overrideEnvVars: Object.fromEntries(defined) });
  } catch (error) {
    // Only the code is reported: the message may quote a certificate or a key.
    const code = (error as NodeJS.ErrnoException).code;
    throw new ConfigError([`TEMPORAL_TLS_* or the profile in TEMPORAL_CONFIG_FILE cannot be used${code ? ` (${code})` : ''}`]);
  }
}

function parse<S extends typeof schema | typeof stackSchema>(shape: S, env: Environment, more: (env: Environment) => string[]) {
  // `KEY=` in an env file means "not set".
  const known = Object.fromEntries(configKeys.filter((key) => env[key]).map((key) => [key, env[key]]));
  const warnings = unknownKeys(env, configKeys);
  const result = shape.safeParse(known);
  const problems = result.success ? [] : result.error.issues.map((issue) => problem(String(issue.path[0]), issue, known));
  problems.push(...more(known).filter((text) => !problems.some((other) => other.split(' ')[0] === text.split(' ')[0])));
  if (!result.success || problems.length > 0) throw new ConfigError([...problems, ...warnings]);
  return { values: result.data as z.output<S>, warnings };
}

/**
 * Custom messages start with `must` or `names` and describe the rule. Zod's own messages could quote the value, which may be a
 * secret.
 */
const problem = (key: string, issue: { message: string }, known: Environment) =>
  known[key] === undefined ? `${key} is missing` : `${key} ${/^(must|names) /.test(issue.message) ? issue.message : 'is not valid'}`;

const commonProblems = (env: Environment): string[] => [...workerProblems(env), ...paymentProblems(env), ...productionProblems(env)];

/** With payments configured, the keys of the payment provider are required at start, not only at the first booking. */
function paymentProblems(env: Environment): string[] {
  if (env.PAYMENTS !== 'stripe') return [];
  return ['STRIPE_SECRET_KEY', 'STRIPE_WEBHOOK_SECRET'].filter((key) => !env[key]).map((key) => `${key} is missing`);
}

/** Production needs real servers and real keys. */
function productionProblems(env: Environment): string[] {
  if (env.NODE_ENV !== 'production') return [];
  const problems: string[] = [];
  for (const key of [...Object.keys(suppliedByStack), 'TEMPORAL_ADDRESS']) if (!env[key]) problems.push(`${key} is missing`);
  const jwks = env.AUTH_JWKS_URL;
  if (jwks && URL.canParse(jwks)) {
    if (new URL(jwks).protocol !== 'https:') problems.push('AUTH_JWKS_URL must be https:// in production');
    else if (isLoopback(new URL(jwks).hostname)) problems.push('AUTH_JWKS_URL must not point to this machine in production');
  }
  if (env.STRIPE_API_URL?.startsWith('http:')) problems.push('STRIPE_API_URL must be https:// in production');
  const vouchedFor = (env.OUTBOUND_ALLOWED_ORIGINS ?? '').split(',').flatMap((origin) => URL.parse(origin.trim()) ?? []);
  if (vouchedFor.some(({ protocol }) => protocol !== 'https:')) problems.push('OUTBOUND_ALLOWED_ORIGINS must be https:// in production');
  else if (vouchedFor.some(({ hostname }) => isLoopback(hostname)))
    problems.push('OUTBOUND_ALLOWED_ORIGINS must not point to this machine in production');
  if (env.AUTH_ISSUER === DEV_ISSUER) problems.push('AUTH_ISSUER must not be the development issuer in production');
  for (const key of ['CURSOR_SECRET', 'AUTH_GUEST_SECRET']) {
    if (env[key]?.startsWith(DEV_SECRET_PREFIX)) problems.push(`${key} must not be a development secret in production`);
  }
  return problems;
}

/** Whether a host is loopback or "any address". `URL` has already turned octal, hex and short forms into one spelling. */
function isLoopback(hostname: string): boolean {
  const host = hostname.replace(/\.$/, '').toLowerCase();
  return (
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    /^(127\.|0\.)/.test(host) ||
    /^\[(::1?|::ffff:7f[0-9a-f]{2}:[0-9a-f]+)\]$/.test(host)
  );
}

function toQueues(text: string, context: z.RefinementCtx): TaskQueue[] {
  const names = text.split(',').map((name) => name.trim());
  const known = taskQueues.filter((queue) => names.includes(queue));
  if (known.length === 0 || known.length < new Set(names).size) context.addIssue(`must name some of ${taskQueues.join(', ')}`);
  return known;
}

/** Origins as browsers send them: scheme, host and port only. */
function toOrigins(text: string, context: z.RefinementCtx): string[] {
  const origins = text
    .split(',')
    .map((origin) => origin.trim())
    .filter(Boolean);
  if (origins.some((origin) => !URL.canParse(origin) || new URL(origin).origin !== origin))
    context.addIssue('must name origins such as https://app.example.com');
  return origins;
}

function deepFreeze<T extends object>(value: T): Readonly<T> {
  for (const inner of Object.values(value)) {
    // Certificates are typed arrays, which cannot be frozen.
    if (typeof inner === 'object' && inner !== null && !ArrayBuffer.isView(inner)) deepFreeze(inner as object);
  }
  return Object.freeze(value);
}

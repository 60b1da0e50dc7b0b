import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { ConfigError, configKeys, DEV_ISSUER, DEV_SECRET_PREFIX, loadConfig, loadStackConfig } from '../../src/config.ts';

const complete = {
  DATABASE_URL: 'postgres://proxie:pw@db.internal:5432/proxie',
  AUTH_JWKS_URL: 'https://id.example.com/jwks.json',
  AUTH_ISSUER: 'https://id.example.com',
  AUTH_AUDIENCE: 'proxie-api',
  CURSOR_SECRET: 'c'.repeat(32),
};
const production = { ...complete, NODE_ENV: 'production', TEMPORAL_ADDRESS: 'temporal.internal:7233' };

/** The sentences of the refusal; none when it is accepted. */
function problems(
  env: Record<string, string | undefined>,
  load: (env: Record<string, string | undefined>) => unknown = loadConfig,
): readonly string[] {
  try {
    load(env);
    return [];
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
}

describe('the configuration', () => {
  it('.env.example lists exactly the keys of the schema, each once', () => {
    const lines = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8').split('\n');
    const keys = lines.filter((line) => /^[A-Z]/.test(line)).map((line) => line.split('=')[0]);
    expect(new Set(keys)).toEqual(new Set(configKeys));
    expect(keys).toHaveLength(configKeys.length);
  });

  it('the values of .env.example are accepted, with the required ones filled in', () => {
    const lines = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8').split('\n');
    const values = Object.fromEntries(
      lines.filter((line) => /^[A-Z]/.test(line)).map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
    );
    expect(problems({ ...values, ...complete })).toEqual([]);
  });

  it.each(Object.keys(complete))('without %s nothing starts, and the key is named', (key) => {
    expect(problems({ ...complete, [key]: undefined })).toEqual([`${key} is missing`]);
    expect(problems({ ...complete, [key]: '' })).toEqual([`${key} is missing`]);
  });

  it('names every problem at once', () => {
    expect(problems({ PORT: 'http', WORKER_QUEUES: 'proxie,other' }).map((text) => text.split(' ')[0])).toEqual([
      'DATABASE_URL',
      'PORT',
      'AUTH_JWKS_URL',
      'AUTH_ISSUER',
      'AUTH_AUDIENCE',
      'CURSOR_SECRET',
      'WORKER_QUEUES',
    ]);
  });

  it.each([
    ['AUTH_ISSUR', 'AUTH_ISSUER'],
    ['WORKER_QUEUE', 'WORKER_QUEUES'],
    ['PROXIE_HOMES', 'PROXIE_HOME'],
    ['SMTP_URI', 'SMTP_URL'],
    ['LLM_MODELS', 'LLM_MODEL'],
    ['OPENAI_APIKEY', 'OPENAI_API_KEY'],
    ['MAIL_FORM', 'MAIL_FROM'],
    ['STRIPE_SECRETKEY', 'STRIPE_SECRET_KEY'],
  ])('a key like %s is reported with what was meant', (wrong, meant) => {
    const sentence = `${wrong} is unknown; did you mean ${meant}?`;
    expect(loadConfig({ ...complete, [wrong]: 'x' }).warnings).toEqual([sentence]);
    expect(problems({ [wrong]: 'x' })).toContain(sentence);
  });

  it.each(['PATH', 'REDIS_SERVICE_HOST', 'DATABASE_PORT_5432_TCP_ADDR', 'OPENAI_ORG_ID', 'TEMPORAL_TLS_SERVER_NAME', 'PROXIE_TEST_BUNDLE'])(
    '%s belongs to others and is not reported',
    (key) => {
      expect(loadConfig({ ...complete, [key]: 'x' }).warnings).toEqual([]);
    },
  );

  it.each(configKeys)('the value of %s never appears in the error', (key) => {
    const canary = 'canary-3f81';
    // The short secret makes sure there is a problem to tell.
    const text = problems({ ...complete, NODE_ENV: 'production', CURSOR_SECRET: 'short', [key]: canary }).join('\n');
    expect(text).not.toBe('');
    expect(text).not.toContain(canary);
  });

  it('is frozen all the way down', () => {
    const config = loadConfig(complete);
    expect(() => Object.assign(config.http, { port: 1 })).toThrow(TypeError);
    expect(() => Object.assign(config.policy.roundWindowMs, { urgent: 1 })).toThrow(TypeError);
  });

  it('POLICY changes fields, keeps the others, and shows in the version', () => {
    const { policy } = loadConfig({ ...complete, POLICY: '{"holdMs":5,"roundWindowMs":{"urgent":7}}' });
    expect(policy).toMatchObject({ holdMs: 5, roundWindowMs: { urgent: 7, soon: 3_600_000 }, version: '2026-11+changed' });
  });

  it.each(['{"holdMs":"5"}', '{"holdMS":5}', '{"holdMs":-1}', '[]', 'x', '{"constructor":{}}', '{"roundWindowMs":{"never":1}}'])(
    'POLICY=%s is refused',
    (text) => {
      expect(problems({ ...complete, POLICY: text })[0]).toMatch(/^POLICY (must|names)/);
    },
  );

  it('POLICY changes single fields of a group, and lists as a whole', () => {
    const { policy } = loadConfig({ ...complete, POLICY: '{"cancellation":{"tiers":[{"beforeMs":1,"feePercent":2}]}}' });
    expect(policy.cancellation).toEqual({ version: '2026-11', tiers: [{ beforeMs: 1, feePercent: 2 }], noShowFeePercent: 100 });
    expect(problems({ ...complete, POLICY: '{"cancellation":{"tiers":[{"beforeMs":"1"}]}}' })).toHaveLength(1);
  });

  it('POLICY cannot say who takes the money: PAYMENTS does', () => {
    expect(problems({ ...complete, POLICY: '{"payments":"stripe"}' })).toEqual(['POLICY must not set payments: use PAYMENTS']);
  });

  it('without PAYMENTS the parties settle among themselves', () => {
    expect(loadConfig(complete)).toMatchObject({ payments: undefined, policy: { payments: 'none' } });
  });

  it('PAYMENTS=stripe needs its keys, and names those that are missing', () => {
    const stripe = { ...complete, PAYMENTS: 'stripe' };
    expect(problems(stripe)).toEqual(['STRIPE_SECRET_KEY is missing', 'STRIPE_WEBHOOK_SECRET is missing']);
    expect(problems(stripe, loadStackConfig)).toEqual(['STRIPE_SECRET_KEY is missing', 'STRIPE_WEBHOOK_SECRET is missing']);
    expect(problems({ ...stripe, STRIPE_SECRET_KEY: 'pk_test_1', STRIPE_WEBHOOK_SECRET: 'x' })).toEqual([
      expect.stringMatching(/^STRIPE_SECRET_KEY must be/),
      expect.stringMatching(/^STRIPE_WEBHOOK_SECRET must be/),
    ]);
    const keys = { STRIPE_SECRET_KEY: 'sk_test_1', STRIPE_WEBHOOK_SECRET: 'whsec_12345678' };
    expect(loadConfig({ ...stripe, ...keys })).toMatchObject({
      payments: { secretKey: 'sk_test_1', webhookSecret: 'whsec_12345678', apiUrl: undefined },
      policy: { payments: 'stripe', version: '2026-11' },
    });
  });

  it.each([
    ['159', undefined],
    ['7', '2'],
    ['1000', '251'],
  ])('given a cache of %s runs for %s workflow tasks at once, the start is refused with reason and remedy', (cached, tasks) => {
    const env = { ...complete, WORKER_MAX_CACHED_WORKFLOWS: cached, WORKER_MAX_WORKFLOW_TASKS: tasks };
    const sentence =
      'WORKER_MAX_CACHED_WORKFLOWS must be at least four times WORKER_MAX_WORKFLOW_TASKS, because a task whose run is evicted comes back only after 10 s: raise WORKER_MAX_CACHED_WORKFLOWS or lower WORKER_MAX_WORKFLOW_TASKS';
    expect(problems(env)).toEqual([sentence]);
    expect(problems(env, loadStackConfig)).toEqual([sentence]);
  });

  it.each([
    ['160', undefined],
    ['8', '2'],
    [undefined, '250'],
  ])('given a cache of %s runs for %s workflow tasks at once, the worker may start', (cached, tasks) => {
    const env = { ...complete, WORKER_MAX_CACHED_WORKFLOWS: cached, WORKER_MAX_WORKFLOW_TASKS: tasks };
    expect(problems(env)).toEqual([]);
    expect(loadConfig(env).worker).toMatchObject({
      maxCachedWorkflows: Number(cached ?? 1_000),
      maxWorkflowTasks: Number(tasks ?? 40),
    });
  });

  it('WORKER_MAX_WORKFLOW_TASKS is at least 2, as the SDK demands, and a wrong value is told once', () => {
    expect(problems({ ...complete, WORKER_MAX_WORKFLOW_TASKS: '1', WORKER_MAX_CACHED_WORKFLOWS: '2' })).toEqual([
      expect.stringMatching(/^WORKER_MAX_WORKFLOW_TASKS must be at least 2/),
    ]);
  });

  it('OUTBOUND_ALLOWED_ORIGINS is a list of exact origins', () => {
    const { outbound } = loadConfig({ ...complete, OUTBOUND_ALLOWED_ORIGINS: 'http://127.0.0.1:8080, https://calendar.internal' });
    expect(outbound.allowedOrigins).toEqual(['http://127.0.0.1:8080', 'https://calendar.internal']);
    expect(loadConfig(complete).outbound.allowedOrigins).toEqual([]);
  });

  it('a certificate that cannot be read is told without quoting anything', () => {
    expect(problems({ ...complete, TEMPORAL_TLS_SERVER_CA_CERT_PATH: '/canary/ca.pem' })).toEqual([
      'TEMPORAL_TLS_* or the profile in TEMPORAL_CONFIG_FILE cannot be used (ENOENT)',
    ]);
  });

  it('Temporal is configured by its own variables', () => {
    expect(loadConfig({ ...complete, TEMPORAL_ADDRESS: 't:1', TEMPORAL_NAMESPACE: 'n', TEMPORAL_API_KEY: 'k' }).temporal).toMatchObject({
      namespace: 'n',
      connectionOptions: { address: 't:1', apiKey: 'k', tls: true },
    });
  });
});

describe('production', () => {
  it('runs on real servers and keys', () => {
    expect(problems(production)).toEqual([]);
  });

  it.each([...Object.keys(complete), 'TEMPORAL_ADDRESS'])('refuses to embed or invent %s', (key) => {
    const without = { ...production, [key]: undefined };
    expect(problems(without)).toEqual([`${key} is missing`]);
    expect(problems(without, loadStackConfig)).toEqual([`${key} is missing`]);
  });

  it.each([
    ['AUTH_JWKS_URL', 'http://id.example.com/jwks.json'],
    ['AUTH_JWKS_URL', 'https://localhost/jwks.json'],
    ['AUTH_JWKS_URL', 'https://127.1/jwks.json'],
    ['AUTH_JWKS_URL', 'https://2130706433/jwks.json'],
    ['AUTH_JWKS_URL', 'https://0/jwks.json'],
    ['AUTH_JWKS_URL', 'https://[::1]/jwks.json'],
    ['AUTH_JWKS_URL', 'https://[::ffff:127.0.0.1]/jwks.json'],
    ['AUTH_ISSUER', DEV_ISSUER],
    ['CURSOR_SECRET', DEV_SECRET_PREFIX + 'x'.repeat(40)],
    ['AUTH_GUEST_SECRET', DEV_SECRET_PREFIX + 'x'.repeat(40)],
    ['CURSOR_SECRET', 'short'],
    ['STRIPE_API_URL', 'http://stripe.internal'],
    ['OUTBOUND_ALLOWED_ORIGINS', 'https://calendar.internal,http://feeds.internal'],
    ['OUTBOUND_ALLOWED_ORIGINS', 'https://127.0.0.1:8443'],
    ['OUTBOUND_ALLOWED_ORIGINS', 'https://calendar.internal/path'],
  ])('refuses %s=%s', (key, value) => {
    expect(problems({ ...production, [key]: value })).toEqual([expect.stringMatching(`^${key} must `)]);
  });
});

import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ServiceError, WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { toFailure } from '../../src/contracts/failures.ts';
import { refusalOf } from '../../src/api/http/problem.ts';
import { nextStep, statusOf } from '../../src/api/http/problem-guide.ts';
import { DomainError, errorCodes } from '../../src/domain/errors.ts';
import { probe, type Probe } from './probe.ts';
import { startApi, startIssuer, type Harness, type Issuer } from './support.ts';

let keys: Issuer;
let api: Harness;
let things: Probe;
let token: string;
beforeAll(async () => {
  keys = await startIssuer();
  things = probe();
  api = await startApi(keys.url, { features: [things.feature] });
  token = await keys.token();
});
afterAll(async () => {
  await api.stop();
  await keys.close();
});

const grpc = (code: number) =>
  new ServiceError('failed', { cause: Object.assign(new Error('grpc'), { code, details: 'd', metadata: {} }) });
const overlooked = new WorkflowUpdateFailedError('x', ApplicationFailure.create({ type: 'UnprocessedUpdate' }));
const pg = (code: string, message = 'driver') => new Error('wrapped', { cause: Object.assign(new Error(message), { code }) });

describe('what was thrown becomes one code', () => {
  it.each<[string, unknown, string]>([
    ['a refusal in an Update', new WorkflowUpdateFailedError('x', toFailure(new DomainError('slot_taken'))), 'slot_taken'],
    ['no answer in time', new WorkflowUpdateRPCTimeoutOrCancelledError('late'), 'temporarily_unavailable'],
    ['UNAVAILABLE', grpc(14), 'temporarily_unavailable'],
    ['DEADLINE_EXCEEDED', grpc(4), 'temporarily_unavailable'],
    ['fault 21: RESOURCE_EXHAUSTED', grpc(8), 'temporarily_unavailable'],
    ['INVALID_ARGUMENT, our own mistake', grpc(3), 'internal'],
    ['fault 28: no connection from the pool', new Error('timeout exceeded when trying to connect'), 'temporarily_unavailable'],
    ['fault 25: connection refused', pg('ECONNREFUSED'), 'temporarily_unavailable'],
    ['fault 25: admin shutdown', pg('57P01'), 'temporarily_unavailable'],
    ['fault 29: statement timeout', pg('57014'), 'temporarily_unavailable'],
    ['fault 30: deadlock', pg('40P01'), 'temporarily_unavailable'],
    ['fault 31: disk full', pg('53100'), 'temporarily_unavailable'],
    ['fault 31: read-only', pg('25006'), 'temporarily_unavailable'],
    ['fault 25: cut connection', new Error('Connection terminated unexpectedly'), 'temporarily_unavailable'],
    ['both addresses refused', new AggregateError([Object.assign(new Error('x'), { code: 'ECONNREFUSED' })]), 'temporarily_unavailable'],
    ['an Update no worker looked at', overlooked, 'temporarily_unavailable'],
    ['a wrong statement', pg('42601'), 'internal'],
    ['a failure type we do not know', new WorkflowUpdateFailedError('x', new Error('?')), 'internal'],
    ['nothing', undefined, 'internal'],
  ])('given %s', (_name, error, code) => {
    expect(refusalOf(error).code).toBe(code);
  });
});

describe('problems', () => {
  it('gives every code a status that fits RFC 9110 and a next step', () => {
    for (const code of errorCodes) {
      expect(statusOf[code]).toBeGreaterThanOrEqual(400);
      expect(nextStep[code].title.length).toBeGreaterThan(10);
    }
  });

  it('fault 65: given a crash, no message, SQL or stack leaves the process, and the log has it', async () => {
    const answer = await api.send('/api/v1/crash', { token });
    expect(answer.status).toBe(500);
    expect(answer.text + JSON.stringify(answer.headers)).not.toMatch(/canary|secret_table|\.ts/);
    expect(answer.json).toMatchObject({
      code: 'internal',
      detail: 'Something went wrong on our side.',
      requestId: answer.headers['x-request-id'],
    });
    expect(JSON.stringify(api.logged)).toContain('canary-9c');
  });

  it('given an answer against its own schema, it is our bug: 500, and the log names the field', async () => {
    const answer = await api.send('/api/v1/broken', { token });
    expect([answer.status, answer.text.includes('canary')]).toEqual([500, false]);
    expect(JSON.stringify(api.logged)).toContain('answered against its schema');
  });

  it('given Temporal or Postgres away, the answer is 503 with Retry-After', async () => {
    things.crash = pg('ECONNREFUSED');
    const answer = await api.send('/api/v1/crash', { token });
    expect([answer.status, answer.headers['retry-after'], answer.json.next[0].action]).toEqual([503, '2', 'retry']);
    things.crash = undefined;
  });

  it('names what is allowed and links only to routes that exist', async () => {
    const id = '3f2a8c1e-5b7d-4e9f-8a6b-1c2d3e4f5a6b';
    const { json } = await api.send(`/api/v1/things/${id}/check-in`, { method: 'POST', token, headers: { 'idempotency-key': 'n1' } });
    expect(json).toMatchObject({ code: 'invalid_transition', currentStatus: 'done', allowed: ['checkIn', 'vanish'] });
    expect(json.next).toEqual([
      expect.objectContaining({ action: 'read', method: 'GET', href: `/api/v1/things/${id}` }),
      expect.objectContaining({ action: 'checkIn', method: 'POST', href: `/api/v1/things/${id}/check-in` }),
    ]);
  });

  it('opens a page for every problem type', async () => {
    const { json } = await api.send('/api/v1/nowhere');
    const page = await api.send(new URL(json.type).pathname);
    expect([page.status, page.text.includes('not_found')]).toEqual([200, true]);
    expect((await api.send('/problems/nonsense')).status).toBe(404);
  });

  it('never logs a token, a body or a query', async () => {
    await api.send('/api/v1/open?q=canary-query', { headers: { authorization: 'Bearer canary-token' } });
    await api.send('/api/v1/things', {
      method: 'POST',
      token,
      body: { text: 'canary-body' },
      headers: { 'idempotency-key': 'log', cookie: 'canary-cookie' },
    });
    const text = JSON.stringify(api.logged);
    for (const canary of ['canary-query', 'canary-token', 'canary-body', 'canary-cookie', token]) expect(text).not.toContain(canary);
    expect(text).toContain('POST /things');
  });
});

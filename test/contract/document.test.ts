import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { declaredRoutes, errorCodesMarkdown, openApiJson } from '../../src/api/http/generate.ts';
import { asOf, errorsOf, exampleDay } from '../../src/api/http/openapi.ts';
import { statusOf } from '../../src/api/http/problem-guide.ts';
import { hasBody } from '../../src/api/http/route-spec.ts';
import { route } from '../../src/api/http/route.ts';
import { errorCodes } from '../../src/domain/errors.ts';
import { z } from 'zod';
import { documentedBodies } from '../support/examples.ts';
import { probe } from './probe.ts';
import { startApi, startIssuer, type Harness, type Issuer } from './support.ts';

let keys: Issuer;
let api: Harness;
beforeAll(async () => {
  keys = await startIssuer();
  api = await startApi(keys.url, { features: [probe().feature] });
});
afterAll(async () => {
  await api.stop();
  await keys.close();
});

/** Operations whose body example is missing, or is not what their schema takes. */
function withoutGoodExample(document: unknown): Record<string, string> {
  const bodies = new Map(documentedBodies(document).map(({ operation, example }) => [operation, example]));
  const faults = declaredRoutes()
    .filter(hasBody)
    .map((spec): [string, string | undefined] => {
      const operation = `${spec.method.toUpperCase()} ${spec.path.replaceAll(/:(\w+)/g, '{$1}')}`;
      const example = bodies.get(operation);
      return [operation, example === undefined ? 'no example' : spec.body!.safeParse(example).error?.message];
    });
  return Object.fromEntries(faults.filter((fault): fault is [string, string] => fault[1] !== undefined));
}

describe('the OpenAPI document', () => {
  it('has every route with its inputs, its roles and each of its refusals', async () => {
    const { json } = await api.send('/api/openapi.json');
    expect(json.openapi).toBe('3.1.1');
    for (const spec of api.api.routes) {
      const operation = json.paths[`/api/v1${spec.path.replaceAll(/:(\w+)/g, '{$1}')}`][spec.method];
      for (const code of errorsOf(spec)) {
        const { examples } = operation.responses[statusOf[code]].content['application/problem+json'];
        expect(examples[code].value).toMatchObject({ code, status: statusOf[code] });
      }
    }
    const { parameters, requestBody, security } = json.paths['/api/v1/things'].post;
    expect(parameters).toContainEqual(expect.objectContaining({ name: 'Idempotency-Key', required: true }));
    expect(requestBody.content['application/json'].schema).toMatchObject({ additionalProperties: false, required: ['text'] });
    expect(security).toEqual([{ bearer: [] }]);
    expect(json.paths['/api/v1/things/{id}'].patch.parameters).toContainEqual(
      expect.objectContaining({ name: 'If-Match', required: true }),
    );
  });

  it('is the same text every time, and has unique operation ids', () => {
    expect(openApiJson()).toBe(openApiJson());
    const { paths } = JSON.parse(openApiJson()) as { paths: Record<string, Record<string, { operationId: string }>> };
    const ids = Object.values(paths).flatMap((item) => Object.values(item).map(({ operationId }) => operationId));
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toHaveLength(declaredRoutes().length);
  });

  it('shows tags, paths and operations in the order of a journey, each tag with a description', () => {
    const { tags, paths } = JSON.parse(openApiJson()) as {
      tags: { name: string; description: string }[];
      paths: Record<string, Record<string, { tags: string[] }>>;
    };
    const used = Object.values(paths).flatMap((item) => Object.values(item).flatMap((operation) => operation.tags));
    expect(tags.map(({ name }) => name)).toEqual([...new Set(used)]);
    // One stretch per tag: nothing of a tag stands behind the next one.
    expect(used.filter((tag, index) => tag !== used[index - 1])).toEqual([...new Set(used)]);
    expect(tags[0]!.name).toBe('auth');
    expect(tags.filter(({ description }) => !description)).toEqual([]);
  });

  it('has an example of every request body, and the schema takes it', () => {
    expect(withoutGoodExample(JSON.parse(openApiJson()))).toEqual({});
  });

  it('the control: an example that is missing or has a wrong field is named', () => {
    const document = JSON.parse(openApiJson());
    const { schemas } = document.components;
    delete schemas.AnswerReschedule.example;
    schemas.CancelBooking.example.fees = 1;
    expect(withoutGoodExample(document)).toEqual({
      'POST /bookings/{bookingId}/cancel': expect.stringContaining('fees'),
      'POST /bookings/{bookingId}/reschedule/answer': 'no example',
    });
  });

  it('moves the dates of its examples with the day it is read on, and nothing else', () => {
    const example = { at: `${exampleDay}T14:00:00Z`, on: '2026-02-27', local: ['2026-01-05T15:00'], note: 'since 2026-01-01', price: 2026 };
    expect(asOf(exampleDay, example)).toEqual(example);
    expect(asOf('2028-01-02', example)).toEqual({
      ...example,
      at: '2028-01-02T14:00:00Z',
      on: '2028-02-28',
      local: ['2028-01-06T15:00'],
    });
  });

  it('comes with a page of error codes that misses none', () => {
    for (const code of errorCodes) expect(errorCodesMarkdown()).toContain(`\`${code}\``);
  });

  it('given a schema that would drop unknown fields, the route cannot be declared', () => {
    const declare = (body: z.ZodType) => () =>
      route(
        { ...api.api, routes: [] },
        { method: 'patch', path: '/x', summary: '', auth: ['consumer'], body, errors: [] },
        async () => undefined,
      );
    expect(declare(z.object({ a: z.string() }))).toThrow('z.strictObject');
    expect(declare(z.strictObject({ a: z.array(z.object({}).optional()) }))).toThrow('z.strictObject');
    expect(declare(z.strictObject({ a: z.union([z.string(), z.object({})]) }))).toThrow('z.strictObject');
  });
});

describe('the pages', () => {
  it('work offline and without inline scripts', async () => {
    const page = await api.send('/api/docs');
    expect(page.headers['content-security-policy']).toContain("script-src 'self'");
    expect(page.text).not.toMatch(/https?:|<script>|onload=/);
    for (const [, path] of page.text.matchAll(/(?:src|href)="([^"]+)"/g))
      expect([path, (await api.send(path!)).status]).toEqual([path, 200]);
  });
  it('let a reader try one example after the other: a new key each time, and no version that nobody has read', async () => {
    let sent: (request: { headers: Record<string, string> }) => { headers: Record<string, string> } = (request) => request;
    const window = { addEventListener: (_load: string, start: () => void) => start() };
    const SwaggerUIBundle = (options: { requestInterceptor: typeof sent }) => (sent = options.requestInterceptor);
    runInNewContext((await api.send('/api/docs/start.js')).text, { window, SwaggerUIBundle, crypto });

    const { paths } = (await api.send('/api/openapi.json')).json;
    const parameters = Object.values<any>(paths).flatMap((item) =>
      Object.values<any>(item).flatMap((operation) => operation.parameters ?? []),
    );
    const shown = new Set(parameters.filter(({ name }) => name === 'Idempotency-Key').map(({ example }) => example));
    expect(shown.size).toBe(1);
    const keys = [1, 2].map(() => sent({ headers: { 'Idempotency-Key': [...shown][0] } }).headers['Idempotency-Key']);
    expect(new Set([...shown, ...keys]).size).toBe(3);
    expect(sent({ headers: { 'Idempotency-Key': 'my own' } }).headers).toEqual({ 'Idempotency-Key': 'my own' });
    // Swagger UI fills in what has an example, also where nothing has to be sent.
    expect(parameters.filter(({ name, example }) => name === 'If-Match' && example !== undefined)).toEqual([]);
  });
  it('have a favicon', async () => {
    expect((await api.send('/favicon.ico')).headers['content-type']).toBe('image/png');
  });
});

describe('health', () => {
  const ready = async (database: boolean, temporal: boolean) => {
    const probeOf = (up: boolean) => () => (up ? Promise.resolve() : Promise.reject(new Error('canary')));
    const own = await startApi(keys.url, { ports: { probes: { database: probeOf(database), temporal: probeOf(temporal) } } });
    const [readiness, live] = [await own.send('/health/ready'), await own.send('/health/live')];
    await own.stop();
    expect(live.status).toBe(200);
    return [readiness.status, readiness.json];
  };
  it('is ok with both, degraded without Temporal, unavailable without the database', async () => {
    expect(await ready(true, true)).toEqual([200, { status: 'ok', database: 'ok', temporal: 'ok' }]);
    expect(await ready(true, false)).toEqual([200, { status: 'degraded', database: 'ok', temporal: 'unreachable' }]);
    expect(await ready(false, true)).toEqual([503, { status: 'unavailable', database: 'unreachable', temporal: 'ok' }]);
  });
});

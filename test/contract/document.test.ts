import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { declaredRoutes, errorCodesMarkdown, openApiJson } from '../../src/api/http/generate.ts';
import { errorsOf } from '../../src/api/http/openapi.ts';
import { statusOf } from '../../src/api/http/problem-guide.ts';
import { route } from '../../src/api/http/route.ts';
import { errorCodes } from '../../src/domain/errors.ts';
import { z } from 'zod';
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

// Texts that scripts write to docs/generated and compare in `verify`. Making them needs no running service and no
// configuration.
import { pino } from 'pino';
import { buildApp, type BuiltApi } from '../app.ts';
import type { ApiConfig, ApiDeps, Ports } from './deps.ts';
import { defaultPolicy } from '../../domain/policy.ts';
import { memoryLimiters } from './rate-limit.ts';
import { exampleDay } from './openapi.ts';
import type { AnyRoute } from './route-spec.ts';

export { errorCodesMarkdown } from './docs.ts';

const config: ApiConfig = {
  database: { url: 'postgres://127.0.0.1:1/none' },
  http: {
    host: '127.0.0.1',
    port: 3000,
    publicUrl: 'http://127.0.0.1:3000',
    trustProxyHops: 0,
    commandDeadlineMs: 10_000,
    rateLimitPerMinute: 600,
  },
  auth: { jwksUrl: 'http://127.0.0.1/', issuer: '', audience: '' },
  cursorSecret: 'only declarations are read here',
  policy: defaultPolicy,
};

/** Builds the routes without dependencies: registering a route uses none. */
function built(): BuiltApi {
  const deps = { config, log: pino({ level: 'silent' }) } as unknown as ApiDeps;
  return buildApp(deps, () => ({ limiter: memoryLimiters }) as unknown as Ports);
}

export const declaredRoutes = (): readonly AnyRoute[] => built().api.routes;

/** The text of docs/generated/openapi.json. It is the same on every day. */
export const openApiJson = (): string => `${JSON.stringify(built().document(exampleDay), null, 2)}\n`;

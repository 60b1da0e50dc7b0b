import express, { Router, type Express, type NextFunction, type Request, type Response } from 'express';
import { DomainError } from '../domain/errors.ts';
import { requestContext } from './http/context.ts';
import { signedCursors } from './http/cursor.ts';
import type { Api, ApiDeps, Ports, Section } from './http/deps.ts';
import { docsRoutes } from './http/docs.ts';
import { eventHub } from './http/event-hub.ts';
import { sections } from './routes/index.ts';
import { healthRoutes } from './routes/health.ts';
import { openApiDocument, type DocumentedSection } from './http/openapi.ts';
import { paymentWebhook } from './routes/payment-webhook.ts';
import { sendProblem } from './http/problem.ts';
import { rateLimits } from './http/rate-limit.ts';
import { securityHeaders } from './http/security.ts';
import { guestSessions } from './http/guests.ts';

export interface BuiltApi {
  app: Express;
  api: Api;
  /** The OpenAPI document, with examples as of this day. */
  document(today: string): object;
  /** Ends the event streams. The server still finishes running requests. */
  drain(): void;
  close(): Promise<void>;
}

/**
 * Builds the whole HTTP application: everything between the socket and the dependencies.
 * @param portsFor makes the ports: `portsFrom(deps, guests)` in the server, test doubles in contract tests
 */
export function buildApp(deps: ApiDeps, portsFor: (guests: Api['guests']) => Ports, more: readonly Section[] = []): BuiltApi {
  const { config, log } = deps;
  const draining = new AbortController();
  const guests = guestSessions({ secret: config.auth.guestSecret, audience: config.auth.audience });
  const ports = portsFor(guests);
  const hub = eventHub(ports.feed, log);
  const { rateLimitPerMinute: perMinute, rateLimitAnonymousPerMinute: anonymousPerMinute = perMinute } = config.http;
  const api: Api = {
    ...deps,
    ...ports,
    guests,
    router: Router({ caseSensitive: true, strict: true }),
    routes: [],
    cursors: signedCursors(config.cursorSecret),
    limits: rateLimits({ limiter: ports.limiter, perMinute, anonymousPerMinute, log }),
    draining: draining.signal,
  };
  const documented = [...sections(hub), ...more].map((section) => register(api, section));
  const document = (today: string) => openApiDocument(documented, { publicUrl: config.http.publicUrl, today });

  const close = async () => {
    await hub.close();
    await ports.idempotency.close();
  };

  const app = express();
  app.use(requestContext(log));
  securityHeaders(app, config.http);
  healthRoutes(app, api);
  app.use(docsRoutes(document));
  paymentWebhook(app, api);
  otherMethods(api);
  app.use('/api/v1', api.router);
  app.use((_req: Request, _res: Response) => {
    throw new DomainError('not_found');
  });
  app.use((error: unknown, req: Request, res: Response, _next: NextFunction) => sendProblem(error, req, res, config.http.publicUrl));
  return { app, api, document, drain: () => draining.abort(), close };
}

function register(api: Api, { tag, description, features }: Section): DocumentedSection {
  const before = api.routes.length;
  for (const feature of features) feature(api);
  return { tag, description, routes: api.routes.slice(before) };
}

/** A known path with another method answers 405 with the methods that the path has. */
function otherMethods({ router, routes }: Api): void {
  for (const path of new Set(routes.map((route) => route.path))) {
    const methods = routes.filter((route) => route.path === path).map(({ method }) => method.toUpperCase());
    const allow = [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
    router.all(path, (req: Request, res: Response) => {
      res.setHeader('allow', allow);
      if (req.method === 'OPTIONS') return void res.status(204).end();
      throw new DomainError('method_not_allowed');
    });
  }
}

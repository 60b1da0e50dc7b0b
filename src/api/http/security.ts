import cors from 'cors';
import type { Express } from 'express';
import helmet from 'helmet';

const exposed = [
  'ETag',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'X-Request-Id',
  'Idempotent-Replayed',
  'Location',
  'Deprecation',
  'Sunset',
];

/**
 * Sets the headers of every answer and the origins that may call from a browser. Tokens travel in a header only. There are no
 * cookies, so no foreign page can send a request in a user's name.
 */
export function securityHeaders(
  app: Express,
  { corsOrigins = [], trustProxyHops }: { corsOrigins?: readonly string[] | undefined; trustProxyHops: number },
): void {
  app.disable('x-powered-by');
  app.disable('etag'); // our ETags are positions of the timeline
  app.set('trust proxy', trustProxyHops);
  // Each route has exactly one spelling. Otherwise another spelling could escape a limit or a refusal.
  app.enable('case sensitive routing');
  app.enable('strict routing');
  app.use(
    helmet({
      contentSecurityPolicy: { useDefaults: false, directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
      crossOriginResourcePolicy: { policy: corsOrigins.length > 0 ? 'cross-origin' : 'same-origin' },
      referrerPolicy: { policy: 'no-referrer' },
    }),
  );
  if (corsOrigins.length === 0) return;
  // Origins are compared as a whole: no suffixes, no patterns, no `null`.
  app.use(cors({ origin: [...corsOrigins], credentials: false, exposedHeaders: exposed, maxAge: 600 }));
}

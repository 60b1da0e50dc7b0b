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

/** Headers every answer has, and who may call from a browser. Tokens travel in a header only, so there are no cookies to forge requests with. */
export function securityHeaders(
  app: Express,
  { corsOrigins = [], trustProxyHops }: { corsOrigins?: readonly string[] | undefined; trustProxyHops: number },
): void {
  app.disable('x-powered-by');
  app.disable('etag'); // our ETags are positions of the timeline
  app.set('trust proxy', trustProxyHops);
  // A route is one spelling: nothing counted or refused under one name can be reached under another.
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
  // Compared whole: no suffixes, no patterns, no `null`.
  app.use(cors({ origin: [...corsOrigins], credentials: false, exposedHeaders: exposed, maxAge: 600 }));
}

import type { Express, Request, Response } from 'express';
import type { Api } from '../http/deps.ts';

/** Milliseconds an answer is reused, so that many health checks cost no more than one. */
const freshMs = 1_000;

interface Readiness {
  status: 'ok' | 'degraded' | 'unavailable';
  database: 'ok' | 'unreachable';
  temporal: 'ok' | 'unreachable';
}

/**
 * `live`: this process answers. `ready`: this process can serve requests. Without Temporal reads still work, so `ready` answers
 * 200 with `degraded`. With 503, a load balancer would remove every process at once.
 */
export function healthRoutes(app: Express, { probes, draining }: Pick<Api, 'probes' | 'draining'>): void {
  let last: { at: number; readiness: Promise<Readiness> } | undefined;

  async function probe(): Promise<Readiness> {
    const [database, temporal] = (await Promise.allSettled([probes.database(), probes.temporal()])).map(({ status }) =>
      status === 'fulfilled' ? ('ok' as const) : ('unreachable' as const),
    );
    return { status: database !== 'ok' ? 'unavailable' : temporal === 'ok' ? 'ok' : 'degraded', database: database!, temporal: temporal! };
  }

  async function ready(_req: Request, res: Response): Promise<void> {
    if (!last || Date.now() > last.at + freshMs) last = { at: Date.now(), readiness: probe() };
    const readiness = await last.readiness;
    const status = draining.aborted ? 'draining' : readiness.status;
    const fit = status === 'ok' || status === 'degraded';
    res
      .status(fit ? 200 : 503)
      .set('cache-control', 'no-store')
      .json({ ...readiness, status });
  }

  app.get(['/health', '/health/ready'], ready);
  app.get('/health/live', (_req, res) => void res.set('cache-control', 'no-store').json({ status: 'ok' }));
}

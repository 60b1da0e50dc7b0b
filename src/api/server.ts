// Composition root of the API: reads the configuration, builds the dependencies, listens, and drains on SIGTERM.
import { createServer, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { pino, type Logger } from 'pino';
import { loadConfig, type Config } from '../config.ts';
import { openOrm } from '../db/orm.ts';
import { httpGuard } from '../integrations/http-guard.ts';
import { temporalClient } from '../temporal/client.ts';
import { buildApp, type BuiltApi } from './app.ts';
import type { ApiDeps } from './http/deps.ts';
import { portsFrom } from './http/ports.ts';
import { redisLimiters } from './http/redis-limiters.ts';

/** Milliseconds after which requests that still run are cut. */
const drainLimitMs = 25_000;
/** Milliseconds between failing readiness and refusing connections: load balancers need this time to notice. */
const noticeMs = 500;

/** Limits that cut slow senders. Node checks them every 30 s by default, so the check runs every second. */
const socketLimits = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 65_000,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 16 * 1024,
};

export interface RunningServer {
  url: string;
  /** Ends event streams, finishes running requests, closes every connection. */
  close(): Promise<void>;
}

export async function startServer(config: Config, log: Logger): Promise<RunningServer> {
  const orm = await openOrm({ databaseUrl: config.database.url, poolMax: config.database.poolMax, applicationName: 'proxie-api' });
  const temporal = temporalClient(config.temporal);
  const deps: ApiDeps = { config, orm, temporal, log, checkUrl: httpGuard(config.outbound).check };
  // The package of the payment provider is large, so it is loaded only when payments are configured.
  const stripe = config.payments && (await import('../integrations/stripe/notice.ts'));
  const paymentNotice = stripe && { paymentNotice: stripe.stripeNotices(config.payments!.webhookSecret) };
  const shared = config.redisUrl ? redisLimiters(config.redisUrl, log) : undefined;
  const built = buildApp(deps, (guests) => ({ ...portsFrom(deps, guests), ...(shared && { limiter: shared.limiters }), ...paymentNotice }));
  const server = createServer(socketLimits, built.app);
  const cutUnused = connectionsOf(server);
  server.maxRequestsPerSocket = 10_000;
  try {
    await listening(server, config.http);
  } catch (error) {
    await temporal.connection.close();
    await orm.close(true);
    throw error;
  }
  return {
    url: config.http.publicUrl,
    async close() {
      await drained(server, built, cutUnused);
      await built.close();
      shared?.close();
      await temporal.connection.close();
      await orm.close(true);
    },
  };
}

function listening(server: Server, { host, port }: { host: string; port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'EADDRINUSE') return reject(error);
      reject(new Error(`Port ${port} on ${host} is in use. Stop what listens there, or set PORT to a free port.`, { cause: error }));
    });
    server.listen(port, host, resolve);
  });
}

async function drained(server: Server, { drain }: BuiltApi, cutUnused: () => void): Promise<void> {
  drain();
  await new Promise((resolve) => setTimeout(resolve, noticeMs));
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  const sweep = setInterval(cutUnused, 50);
  const limit = setTimeout(() => server.closeAllConnections(), drainLimitMs);
  await closed;
  clearInterval(sweep);
  clearTimeout(limit);
}

/**
 * Tracks which connections carry a request. Node's own `closeIdleConnections` does not close connections that never sent one.
 * @returns a function that cuts all connections without a request
 */
function connectionsOf(server: Server): () => void {
  const running = new Map<Socket, number>();
  server.on('connection', (socket) => {
    running.set(socket, 0);
    socket.once('close', () => running.delete(socket));
  });
  server.on('request', ({ socket }, res) => {
    running.set(socket, (running.get(socket) ?? 0) + 1);
    res.once('close', () => running.has(socket) && running.set(socket, running.get(socket)! - 1));
  });
  return () => {
    for (const [socket, requests] of running) if (requests === 0) socket.destroySoon();
  };
}

async function main(): Promise<void> {
  const config = loadConfig();
  const log = pino({
    level: config.logLevel,
    base: { service: 'proxie-api' },
    redact: ['*.authorization', '*.cookie', '*.password', '*.token'],
  });
  for (const warning of config.warnings) log.warn(warning);
  const server = await startServer(config, log);
  log.info({ url: server.url }, 'the API listens');

  let closing = false;
  const stop = (signal: string) => {
    if (closing) return;
    closing = true;
    log.info({ signal }, 'draining');
    // The hard limit: this process exits before an orchestrator kills it, whatever still hangs.
    setTimeout(() => process.exit(1), drainLimitMs + 4_000).unref();
    server.close().then(
      () => log.info('closed'),
      (error: unknown) => {
        log.error({ err: error }, 'did not close cleanly');
        process.exitCode = 1;
      },
    );
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, stop);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}

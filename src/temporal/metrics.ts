import { createServer } from 'node:http';
import { createServer as createSocket, type AddressInfo } from 'node:net';
import { collectDefaultMetrics, register } from 'prom-client';

/** A loopback port that is free now. The SDK's native core needs a fixed address for its own exporter. */
export function freeLoopbackPort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createSocket();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });
}

export interface WorkerMonitor {
  close(): void;
}

/**
 * `/metrics` (Temporal's own series and this process's) and `/ready` of a worker process.
 * @param corePort loopback port of the SDK's Prometheus exporter
 */
export function monitorWorker({
  host,
  port,
  corePort,
  isRunning,
}: {
  host: string;
  port: number;
  corePort: number;
  isRunning: () => boolean;
}): WorkerMonitor {
  collectDefaultMetrics();
  const server = createServer((request, response) => {
    void answer(request.url ?? '/').then(
      ({ status, body, type }) => response.writeHead(status, { 'content-type': type }).end(body),
      () => response.writeHead(503).end(),
    );
  });
  async function answer(url: string) {
    if (url === '/ready') {
      const ready = isRunning();
      return { status: ready ? 200 : 503, type: 'application/json', body: JSON.stringify({ status: ready ? 'ready' : 'starting' }) };
    }
    if (url !== '/metrics') return { status: 404, type: 'text/plain', body: 'try /ready or /metrics\n' };
    const core = await fetch(`http://127.0.0.1:${corePort}/metrics`).then((reply) => reply.text());
    return { status: 200, type: register.contentType, body: `${core}\n${await register.metrics()}` };
  }
  server.listen(port, host);
  return { close: () => server.close() };
}

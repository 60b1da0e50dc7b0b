import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { startServer } from '../../src/api/server.ts';
import { loadConfig } from '../../src/config.ts';
import { anyPort } from '../support/ports.ts';
import { startIssuer, type Issuer } from './support.ts';

let keys: Issuer;
beforeAll(async () => {
  keys = await startIssuer();
});
afterAll(() => keys.close());

/** Nothing listens on port 1: database and Temporal are both away. */
const start = async (port?: number) => {
  const config = loadConfig({
    NODE_ENV: 'test',
    DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none',
    PORT: String(port ?? (await anyPort())),
    AUTH_JWKS_URL: keys.url,
    AUTH_ISSUER: 'https://issuer.test',
    AUTH_AUDIENCE: 'proxie-test',
    CURSOR_SECRET: 'a secret for cursors that is long enough',
    TEMPORAL_ADDRESS: '127.0.0.1:1',
  });
  return { server: await startServer(config, pino({ level: 'silent' })), port: config.http.port };
};

describe('the server', () => {
  it('given no database and no Temporal, it starts, says so, and answers 503', async () => {
    const { server } = await start();
    const get = (path: string, headers = {}) => fetch(`${server.url}${path}`, { headers });
    expect((await get('/health/live')).status).toBe(200);
    const ready = await get('/health/ready');
    expect([ready.status, await ready.json()]).toEqual([503, { status: 'unavailable', database: 'unreachable', temporal: 'unreachable' }]);
    const list = await get('/api/v1/requests', { authorization: `Bearer ${await keys.token()}` });
    expect([list.status, list.headers.get('retry-after')]).toEqual([503, '2']);
    expect((await get('/api/openapi.json')).status).toBe(200);
    await server.close();
  });

  it('given a port in use, it says what to do', async () => {
    const { server, port } = await start();
    await expect(start(port)).rejects.toThrow(`Port ${port} on 127.0.0.1 is in use. Stop what listens there, or set PORT to a free port.`);
    await server.close();
  });

  it('fault 24: closing fails readiness first, takes no new connections, and waits for nobody idle', async () => {
    const { server, port } = await start();
    const idle = connect(port, '127.0.0.1');
    await new Promise((resolve) => idle.once('connect', resolve));
    const begun = performance.now();
    const closing = server.close();
    expect(((await (await fetch(`${server.url}/health/ready`)).json()) as { status: string }).status).toBe('draining');
    await closing;
    expect(performance.now() - begun).toBeLessThan(8_000);
    await expect(fetch(`${server.url}/health/live`)).rejects.toThrow();
    idle.destroy();
    await sleep(1);
  });
});

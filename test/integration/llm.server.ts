import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

export interface Call {
  path: string;
  body: any;
  headers: IncomingMessage['headers'];
}

export type Behaviour = (response: ServerResponse, call: Call, index: number) => void | Promise<void>;

/** A server of chat completions over SSE that misbehaves on request: one behaviour per call, the last behaviour repeats. */
export async function startModel(...behaviours: Behaviour[]) {
  const calls: Call[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const call = { path: request.url ?? '', body: JSON.parse(Buffer.concat(parts).toString() || '{}'), headers: request.headers };
      calls.push(call);
      void behaviours[Math.min(calls.length, behaviours.length) - 1]!(response, call, calls.length);
    });
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket)).on('error', () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    calls,
    stop: () =>
      new Promise<void>((resolve) => {
        for (const socket of sockets) socket.destroy();
        server.close(() => resolve());
      }),
  };
}

const chunk = (delta: object, more: object = {}) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: null, ...more }] })}\n\n`;
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** How many characters of the answer come before `wait`: the beginning of the acknowledgement. */
const WAITS_AFTER = 24;

/** Streams a text in pieces, then usage and the end. */
export const streams =
  (
    text: string | object,
    {
      size = 7,
      pauseMs = 0,
      finish = 'stop',
      wait,
    }: { size?: number; pauseMs?: number; finish?: string; wait?: () => Promise<unknown> } = {},
  ): Behaviour =>
  async (response) => {
    const content = typeof text === 'string' ? text : JSON.stringify(text);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (let at = 0; at < content.length && !response.destroyed; at += size) {
      response.write(chunk({ content: content.slice(at, at + size) }));
      if (pauseMs) await sleep(pauseMs);
      if (wait && at <= WAITS_AFTER && at + size > WAITS_AFTER) await wait();
    }
    response.write(chunk({}, { finish_reason: finish }));
    response.write(
      `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [], usage: { prompt_tokens: 100, completion_tokens: 20, total_tokens: 120 } })}\n\n`,
    );
    response.end('data: [DONE]\n\n');
  };

export const fails =
  (status: number, headers: Record<string, string> = {}): Behaviour =>
  (response) => {
    response
      .writeHead(status, { 'content-type': 'application/json', ...headers })
      .end(JSON.stringify({ error: { message: 'CANARY-server-error', type: 'x' } }));
  };

export const resets: Behaviour = (response) => void response.socket?.destroy();
export const hangs: Behaviour = () => {};
export const diesMidway: Behaviour = async (response) => {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  response.write(chunk({ content: '{"ack":"A hair' }));
  await sleep(20);
  response.socket?.destroy();
};

/** Bytes without an end to a line, or an endless number of good lines. */
export const floods =
  (line: boolean): Behaviour =>
  async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const piece = line ? 'x'.repeat(64 * 1024) : chunk({ content: 'y'.repeat(1024) });
    if (line) response.write('data: {"choices":[{"index":0,"delta":{"content":"');
    while (!response.destroyed && response.writable) {
      response.write(piece);
      await sleep(0);
    }
  };

import { createServer as createPlain, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface FeedServer {
  origin: string;
  /** Number of connections so far; `requests` holds what they asked for. */
  connections: number;
  requests: { method: string; path: string; headers: IncomingMessage['headers'] }[];
  /** Answers to the next requests, by path. Other paths get 404. */
  answers: Record<string, (req: IncomingMessage, res: ServerResponse) => void>;
  stop(): Promise<void>;
}

/** A real server on 127.0.0.1 that gives the answers of a test. */
export async function feedServer(tls?: { cert: string; key: string }): Promise<FeedServer> {
  const sockets = new Set<Socket>();
  const listener: RequestListener = (req, res) => {
    const path = req.url ?? '';
    feeds.requests.push({ method: req.method ?? '', path, headers: req.headers });
    const answer = feeds.answers[path];
    if (answer) answer(req, res);
    else res.writeHead(404).end();
  };
  const server = tls ? createTls(tls, listener) : createPlain(listener);
  server.on('connection', (socket: Socket) => {
    feeds.connections += 1;
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket)).on('error', () => {});
  });
  server.on('tlsClientError', () => {});
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const feeds: FeedServer = {
    origin: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: 0,
    requests: [],
    answers: {},
    stop() {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
  return feeds;
}

/** Wraps a calendar in an answer as servers send it. */
export const calendar =
  (text: string, headers: Record<string, string> = {}) =>
  (_req: IncomingMessage, res: ServerResponse): void =>
    void res.writeHead(200, { 'content-type': 'text/calendar; charset=utf-8', ...headers }).end(text);

/** A whole calendar that contains the lines. */
export const ics = (...lines: string[]): string =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Test//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n');

/** One event that contains the lines. */
export const vevent = (...lines: string[]): string[] => ['BEGIN:VEVENT', 'DTSTAMP:20260101T000000Z', ...lines, 'END:VEVENT'];

/** An instant in the form of iCalendar. */
export const utcText = (at: number): string => new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');

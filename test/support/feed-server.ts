import { createServer as createPlain, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

export interface FeedServer {
  origin: string;
  /** Everybody who came as far as a connection, and what they asked for. */
  connections: number;
  requests: { method: string; path: string; headers: IncomingMessage['headers'] }[];
  /** How the next requests are answered, by path; 404 for others. */
  answers: Record<string, (req: IncomingMessage, res: ServerResponse) => void>;
  stop(): Promise<void>;
}

/** A real server on 127.0.0.1 that answers as a test wishes. */
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

/** A calendar as servers send it. */
export const calendar =
  (text: string, headers: Record<string, string> = {}) =>
  (_req: IncomingMessage, res: ServerResponse): void =>
    void res.writeHead(200, { 'content-type': 'text/calendar; charset=utf-8', ...headers }).end(text);

/** Some lines as a whole calendar. */
export const ics = (...lines: string[]): string =>
  ['BEGIN:VCALENDAR', 'VERSION:2.0', 'PRODID:-//Test//EN', ...lines, 'END:VCALENDAR', ''].join('\r\n');

/** One event with these lines. */
export const vevent = (...lines: string[]): string[] => ['BEGIN:VEVENT', 'DTSTAMP:20260101T000000Z', ...lines, 'END:VEVENT'];

/** An instant as iCalendar writes it. */
export const utcText = (at: number): string => new Date(at).toISOString().replaceAll(/[-:]|\.\d+/g, '');

import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { takeLock } from './lock.ts';
import { StackError, type Say } from './progress.ts';

/** Whether a process could listen on the port now. */
export function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

export interface PortWish {
  /** The listener's name for messages. */
  what: string;
  /** The environment variable that sets the port. */
  key: string;
  /** The port in that variable. When it is set, no other port is taken. */
  wanted: number | undefined;
  /** First port to try when the variable is not set. */
  from: number;
  host?: string;
  /** Number of consecutive ports; the default is one. */
  span?: number;
}

/**
 * Chooses ports for one stack. A process may start to listen on its port only seconds later. Until then a file in `claims`
 * marks the port as taken, so that another starting stack takes another port. Claims of processes that have ended do not count.
 */
export function portChooser(claims: string, say: Say) {
  mkdirSync(claims, { recursive: true });
  const mine = new Set<number>();

  async function isOurs(port: number, host: string | undefined): Promise<boolean> {
    if (mine.has(port) || !(await isFree(port, host))) return false;
    if (takeLock(join(claims, String(port)))) return false;
    mine.add(port);
    return true;
  }

  async function areOurs(port: number, span: number, host: string | undefined): Promise<boolean> {
    for (let next = port; next < port + span; next++) if (!(await isOurs(next, host))) return false;
    return true;
  }

  /**
   * The wanted port, or else the first free port from `from` on.
   * @throws StackError when the wanted port is busy
   */
  return async function choosePort({ what, key, wanted, from, host, span = 1 }: PortWish): Promise<number> {
    if (wanted !== undefined) {
      if (await areOurs(wanted, span, host)) return wanted;
      const place = span > 1 ? `One of the ports ${wanted} to ${wanted + span - 1}` : `Port ${wanted}`;
      throw new StackError(`${place} for ${what} is busy. Stop what listens there, or choose another one with ${key}.`);
    }
    for (let port = from; port < from + 200; port += span) {
      if (!(await areOurs(port, span, host))) continue;
      if (port !== from) say(`  port ${from} is busy; ${what} takes ${port} (choose one with ${key})`);
      return port;
    }
    throw new StackError(`No free port for ${what} between ${from} and ${from + 199}. Choose one with ${key}.`);
  };
}

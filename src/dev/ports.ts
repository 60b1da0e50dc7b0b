import { mkdirSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { takeLock } from './lock.ts';
import { StackError, type Say } from './progress.ts';

/** Whether somebody could listen there now. */
export function isFree(port: number, host = '127.0.0.1'): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

export interface PortWish {
  /** What listens there, for messages. */
  what: string;
  /** The environment variable that chooses it. */
  key: string;
  /** What that variable says; then nothing else will do. */
  wanted: number | undefined;
  /** Where to begin looking otherwise. */
  from: number;
  host?: string;
  /** How many in a row; one when not given. */
  span?: number;
}

/**
 * Chooses ports for one stack. A port that a role will only listen on in a few seconds is claimed by a file in `claims`,
 * so that a stack starting at the same moment takes another one; claims of processes that are gone count for nothing.
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
   * The port asked for, or the first free one from the usual one on.
   * @throws StackError when the port asked for is busy
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

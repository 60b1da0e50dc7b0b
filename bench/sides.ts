// Starts the process of a side and orders its rounds.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { FromSide, Round, RoundOrder } from './side.protocol.ts';

export interface Side {
  play(order: RoundOrder): Promise<Round>;
  stop(): Promise<void>;
}

/**
 * Starts the servers, the worker and the API of a checkout. Resolves when they are ready.
 * @param root the folder of the checkout, with its node_modules
 * @param env keys for the worker and the API
 */
export async function startSide(root: string, env: Record<string, string>): Promise<Side> {
  const child = fork(join(import.meta.dirname, 'side.ts'), [root], { env: { ...process.env, ...env } });
  const gone = once(child, 'exit');

  async function next(): Promise<Round | undefined> {
    const ended = gone.then(([code, signal]) => ({ is: 'failed', why: `the side ended (${signal ?? code})` }) as const);
    const message = await Promise.race([once(child, 'message').then(([value]) => value as FromSide), ended]);
    if (message.is === 'failed') throw new Error(`${root}: ${message.why}`);
    return message.is === 'played' ? message.round : undefined;
  }
  async function stop(): Promise<void> {
    if (child.connected) child.disconnect();
    await gone;
  }

  try {
    await next();
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    async play(order) {
      child.send(order);
      return (await next())!;
    },
    stop,
  };
}

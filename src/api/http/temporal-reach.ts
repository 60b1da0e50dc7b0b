import type { Client } from '@temporalio/client';
import { DomainError } from '../../domain/errors.ts';

const checkMs = 1_500;
/** After a failed check the next ones fail at once for this long: a queue of waiting requests helps nobody. */
const quietMs = 500;
const grpcReady = 2;

/** The part of a gRPC client that knows whether there is a connection. */
interface Channel {
  getChannel(): { getConnectivityState(tryToConnect: boolean): number };
  waitForReady(deadline: number, callback: (error?: Error) => void): void;
}

const failedAt = new WeakMap<object, number>();

/**
 * Returns at once when connected, otherwise waits a moment for a connection: with the frontend down the SDK would retry
 * until the whole deadline is gone.
 * @throws temporarily_unavailable within 1.5 s
 */
export async function ensureReachable({ connection }: Pick<Client, 'connection'>): Promise<void> {
  const channel = (connection as { client?: Channel }).client;
  // Connections without a channel of their own (the test environment's) cannot be asked.
  if (typeof channel?.waitForReady !== 'function') return;
  if (channel.getChannel().getConnectivityState(true) === grpcReady) return;
  const away = () => new DomainError('temporarily_unavailable', undefined, { retryAfterS: 2 });
  if (Date.now() < (failedAt.get(channel) ?? 0) + quietMs) throw away();
  await new Promise<void>((resolve, reject) => {
    channel.waitForReady(Date.now() + checkMs, (error) => {
      if (!error) return resolve();
      failedAt.set(channel, Date.now());
      reject(away());
    });
  });
}

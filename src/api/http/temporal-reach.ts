import type { Client } from '@temporalio/client';
import { DomainError } from '../../domain/errors.ts';

const checkMs = 1_500;
/**
 * Milliseconds after a failed check in which further checks fail at once. Otherwise requests would queue up behind a server
 * that is away.
 */
const quietMs = 500;
const grpcReady = 2;

/** The part of a gRPC client that knows the state of its connection. */
interface Channel {
  getChannel(): { getConnectivityState(tryToConnect: boolean): number };
  waitForReady(deadline: number, callback: (error?: Error) => void): void;
}

const failedAt = new WeakMap<object, number>();

/**
 * Returns at once when Temporal is connected, and waits up to 1.5 s for a connection otherwise. Without this check the SDK
 * would retry until the whole deadline is over.
 * @throws temporarily_unavailable within 1.5 s
 */
export async function ensureReachable({ connection }: Pick<Client, 'connection'>): Promise<void> {
  const channel = (connection as { client?: Channel }).client;
  // A connection without a channel of its own (in the test environment) cannot be checked.
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

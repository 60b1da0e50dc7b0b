import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { dataConverter } from './data-converter.ts';

export interface TemporalTarget {
  connectionOptions: ConnectionOptions;
  namespace?: string;
}

// By default gRPC waits up to two minutes before it connects again, so commands would fail that long after Temporal is back.
const reconnect = { 'grpc.initial_reconnect_backoff_ms': 200, 'grpc.max_reconnect_backoff_ms': 1_000 };

/** A client that connects at its first call. The API starts and answers reads while Temporal is down. */
export function temporalClient({ connectionOptions, namespace }: TemporalTarget): Client {
  return new Client({
    connection: Connection.lazy({ ...connectionOptions, channelArgs: { ...reconnect, ...connectionOptions.channelArgs } }),
    namespace,
    dataConverter: dataConverter(),
  });
}

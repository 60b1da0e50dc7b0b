import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { dataConverter } from './data-converter.ts';

export interface TemporalTarget {
  connectionOptions: ConnectionOptions;
  namespace?: string;
}

/** A client that connects at its first call: the API starts and answers reads while Temporal is down. */
export function temporalClient({ connectionOptions, namespace }: TemporalTarget): Client {
  return new Client({ connection: Connection.lazy(connectionOptions), namespace, dataConverter: dataConverter() });
}

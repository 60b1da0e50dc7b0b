import type { DataConverter, PayloadCodec } from '@temporalio/common';

/**
 * Encodes payloads in the same way on client, worker and replay. Encryption belongs into the list of codecs. The list is empty
 * until keys are configured, so payloads are readable in the Web UI.
 */
export function dataConverter(payloadCodecs: PayloadCodec[] = []): DataConverter {
  return { payloadCodecs };
}

import type { DataConverter, PayloadCodec } from '@temporalio/common';

/**
 * How payloads travel: the same on client, worker and replay. The codec list is where encryption goes; it is empty until
 * keys are configured, so payloads are readable in the Web UI.
 */
export function dataConverter(payloadCodecs: PayloadCodec[] = []): DataConverter {
  return { payloadCodecs };
}

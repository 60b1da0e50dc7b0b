import type { WorkflowHandle } from '@temporalio/client';

/** A run's history as text with every payload decoded: everything that a reader of the engine could see. */
export async function readableHistory(handle: WorkflowHandle): Promise<{ events: number; text: string }> {
  const history = await handle.fetchHistory();
  const text = JSON.stringify(history).replaceAll(/"data":"([A-Za-z0-9+/=]+)"/g, (_, data: string) =>
    Buffer.from(data, 'base64').toString(),
  );
  return { events: history.events!.length, text };
}

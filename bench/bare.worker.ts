// A worker for the bare workflows. It has the SDK's defaults, so that tuning the product does not tune the yardstick.
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { bareQueue } from './bare.messages.ts';

const logger = new DefaultLogger('ERROR');
Runtime.install({ logger, telemetryOptions: { logging: { filter: 'ERROR', forward: {} } } });
const connection = await NativeConnection.connect({ address: process.env.TEMPORAL_ADDRESS! });
const worker = await Worker.create({
  connection,
  namespace: process.env.TEMPORAL_NAMESPACE!,
  taskQueue: bareQueue,
  workflowBundle: await bundleWorkflowCode({ workflowsPath: fileURLToPath(new URL('bare.workflows.ts', import.meta.url)), logger }),
  activities: { nothing: async () => {} },
  maxCachedWorkflows: 1_000,
});
await worker.run();

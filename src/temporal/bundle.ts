import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

/** The bundler runs before any logger exists. */
const complain = (message: string) => void process.stderr.write(`${message}\n`);

/** Bundles src/workflows once; the same code serves the worker, every test and the replay check. */
export function buildWorkflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath: fileURLToPath(new URL('../workflows/index.ts', import.meta.url)),
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn: complain, error: complain },
  });
}

import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

/** The bundler runs before any logger exists. */
const complain = (message: string) => void process.stderr.write(`${message}\n`);

const workflowsPath = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
const interceptorsPath = fileURLToPath(new URL('../workflows/interceptors.ts', import.meta.url));

/**
 * Bundles src/workflows once; the same code serves the worker, every test and the replay check. All of it is loaded once per
 * worker, not once per run: the lint rules allow no module any state, so there is nothing that runs could share.
 */
export function buildWorkflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [interceptorsPath],
    preloadModules: [workflowsPath, interceptorsPath],
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn: complain, error: complain },
  });
}

import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, type WorkflowBundleWithSourceMap } from '@temporalio/worker';

/** Writes to stderr, because the bundler runs before any logger exists. */
const complain = (message: string) => void process.stderr.write(`${message}\n`);

const workflowsPath = fileURLToPath(new URL('../workflows/index.ts', import.meta.url));
const interceptorsPath = fileURLToPath(new URL('../workflows/interceptors.ts', import.meta.url));

/**
 * Bundles src/workflows once. The worker, every test and the replay check use the same code.
 * A worker loads all modules once, not once per run. That is safe, because the lint rules forbid state in modules, so runs
 * share nothing.
 */
export function buildWorkflowBundle(): Promise<WorkflowBundleWithSourceMap> {
  return bundleWorkflowCode({
    workflowsPath,
    workflowInterceptorModules: [interceptorsPath],
    preloadModules: [workflowsPath, interceptorsPath],
    logger: { log() {}, trace() {}, debug() {}, info() {}, warn: complain, error: complain },
  });
}

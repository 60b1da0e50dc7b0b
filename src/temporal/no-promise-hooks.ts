// Loaded into a workflow thread before the SDK. The SDK takes the error for a runtime without promise hooks: it goes on without stack traces
// and answers `__stack_trace` with a sentence that says so. Its warning, the next one, is left out.
/* oxlint-disable no-console -- the warning of the SDK goes to the console */
import v8 from 'node:v8';

const { warn } = console;
v8.promiseHooks.createHook = () => {
  console.warn = () => {
    console.warn = warn;
  };
  throw new Error('WORKER_STACK_TRACES is off');
};

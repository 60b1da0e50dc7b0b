// For `node --import`, before src/worker.ts: the worker gets its activities from failpoint.activities.ts, which wraps the real ones.
import { registerHooks } from 'node:module';

const worker = new URL('../../src/worker.ts', import.meta.url).href;
const wrapped = new URL('failpoint.activities.ts', import.meta.url).href;

registerHooks({
  resolve: (specifier, context, next) =>
    next(context.parentURL === worker && specifier === './activities/index.ts' ? wrapped : specifier, context),
});

// For `node --import`: keeps compiled code for the next process (NODE_COMPILE_CACHE), so that a restart takes two thirds of the time.
// Node itself stores compiled code only at a normal exit, but most of these processes are killed.
import { flushCompileCache } from 'node:module';

setTimeout(flushCompileCache, 3_000).unref();

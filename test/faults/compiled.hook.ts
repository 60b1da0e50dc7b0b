// For `node --import`: what a process has compiled is kept for the next one (NODE_COMPILE_CACHE), so that a restart takes two thirds
// of the time. Node writes it down at a normal end, and most of these processes are killed.
import { flushCompileCache } from 'node:module';

setTimeout(flushCompileCache, 3_000).unref();

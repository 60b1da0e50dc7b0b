import { startServers, type Servers } from './servers.ts';

/** Folders whose tests need no server. */
const serverless = /^(\.?\/)?.*test\/(unit|contract|replay)(\/|$)/;

/** Hands the servers over to the teardown, which is another module. Jest's documentation does it in this way. */
export const shared = globalThis as { proxieTestServers?: Servers };

/** Starts the servers of the suites before all tests, unless every wanted suite runs without a server. */
export default async function setUp(globalConfig: { testPathPatterns: { patterns: readonly string[] } }): Promise<void> {
  const { patterns } = globalConfig.testPathPatterns;
  if (patterns.length > 0 && patterns.every((pattern) => serverless.test(pattern))) return;
  const servers = await startServers();
  shared.proxieTestServers = servers;
  Object.assign(process.env, servers.coordinates);
  // Jest runs no teardown after Ctrl-C.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      servers.killNow();
      process.exit(130);
    });
  }
  process.once('exit', () => servers.killNow());
}

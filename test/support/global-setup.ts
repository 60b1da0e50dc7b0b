import { startServers, type Servers } from './servers.ts';

/** Folders whose tests need no server. */
const serverless = /^(\.?\/)?.*test\/(unit|contract|replay)(\/|$)/;

/** Teardown is another module: this is how Jest's own documentation hands things over. */
export const shared = globalThis as { proxieTestServers?: Servers };

/** Before everything: servers for the suites, unless only suites were asked for that need none. */
export default async function setUp(globalConfig: { testPathPatterns: { patterns: readonly string[] } }): Promise<void> {
  const { patterns } = globalConfig.testPathPatterns;
  if (patterns.length > 0 && patterns.every((pattern) => serverless.test(pattern))) return;
  const servers = await startServers();
  shared.proxieTestServers = servers;
  Object.assign(process.env, servers.coordinates);
  // Ctrl-C skips Jest's teardown.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(signal, () => {
      servers.killNow();
      process.exit(130);
    });
  }
  process.once('exit', () => servers.killNow());
}

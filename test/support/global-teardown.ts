import { shared } from './global-setup.ts';

/** Ends the servers and deletes their data after all tests. */
export default async function tearDown(): Promise<void> {
  await shared.proxieTestServers?.stop();
}

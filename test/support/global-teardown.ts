import { shared } from './global-setup.ts';

/** After everything: the servers go, with their data. */
export default async function tearDown(): Promise<void> {
  await shared.proxieTestServers?.stop();
}

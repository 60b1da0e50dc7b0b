import { TestWorkflowEnvironment } from '@temporalio/testing';

/** Downloads the Temporal CLI with the SDK's own means: `node temporal-download.ts <folder> <version>`. The SDK starts it once, too. */
const [downloadDir, version] = process.argv.slice(2);
try {
  const environment = await TestWorkflowEnvironment.createLocal({
    server: { executable: { type: 'cached-download', downloadDir: downloadDir!, version: version!, ttl: '365d' } },
  });
  await environment.teardown();
} catch (error) {
  process.stderr.write(`Error: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

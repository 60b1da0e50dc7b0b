import { TestWorkflowEnvironment } from '@temporalio/testing';

/** Downloads the Temporal CLI by means of the SDK: `node temporal-download.ts <folder> <version>`. The SDK also starts it once. */
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

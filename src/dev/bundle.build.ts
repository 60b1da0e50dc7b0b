import { writeFileSync } from 'node:fs';
import { buildWorkflowBundle } from '../temporal/bundle.ts';

/**
 * Writes the workflow bundle: `node bundle.build.ts <file>`. It runs in a process of its own, because the bundler takes much
 * memory and time.
 */
const { code } = await buildWorkflowBundle();
writeFileSync(process.argv[2]!, code);

import { writeFileSync } from 'node:fs';
import { buildWorkflowBundle } from '../temporal/bundle.ts';

/** Writes the workflow bundle: `node bundle.build.ts <file>`. Apart from what starts the stack, because the bundler takes memory and time. */
const { code } = await buildWorkflowBundle();
writeFileSync(process.argv[2]!, code);

/**
 * Builds the workflow bundle into dist/workflow-bundle.js, so that workers start without webpack. Fails when the bundle is too
 * large or contains a package that does not belong there.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { buildWorkflowBundle } from '../../src/temporal/bundle.ts';
import { foreignPackages } from '../check/bundle.ts';

const file = resolve(import.meta.dirname, '../../dist/workflow-bundle.js');
/** Size limit. @temporalio takes 1.9 MB with its source map, so a larger bundle means that an import has added packages. */
const budgetKb = 2600;

const { code } = await buildWorkflowBundle();
const kb = Math.round(Buffer.byteLength(code) / 1024);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, code);
console.log(`workflow bundle ${kb} KB of ${budgetKb} KB`);
const foreign = foreignPackages(code);
if (foreign.length > 0) console.error(`the bundle contains ${foreign.join(', ')}`);
if (kb > budgetKb || foreign.length > 0) process.exit(1);

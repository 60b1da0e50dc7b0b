/**
 * Builds the workflow bundle into dist/workflow-bundle.js, so that workers start without webpack. Fails when the bundle is too
 * large or contains a package that does not belong there.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { buildWorkflowBundle } from '../../src/temporal/bundle.ts';
import { foreignPackages } from '../check/bundle.ts';

const file = resolve(import.meta.dirname, '../../dist/workflow-bundle.js');
/**
 * Size limit. @temporalio takes 1.9 MB with its source map, our own rules with their comments 0.7 MB. A package that an import drags in
 * takes more than what is left.
 */
const budgetKb = 2800;

const { code } = await buildWorkflowBundle();
const kb = Math.round(Buffer.byteLength(code) / 1024);
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, code);
console.log(`workflow bundle ${kb} KB of ${budgetKb} KB`);
const foreign = foreignPackages(code);
if (foreign.length > 0) console.error(`the bundle contains ${foreign.join(', ')}`);
if (kb > budgetKb || foreign.length > 0) process.exit(1);

/** `npm run generate` writes docs/generated; with `--check` it only reports differences. */
import { drifts, write } from './pages.ts';

if (process.argv.includes('--check')) {
  const found = drifts();
  for (const { path, problem } of found) console.error(`${path} ${problem}: run npm run generate and commit it`);
  process.exitCode = found.length === 0 ? 0 : 1;
} else {
  for (const path of write()) console.log(path);
}

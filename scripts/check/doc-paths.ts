/** Checks that the paths, npm scripts and links in documentation and comments exist, so that no reader is sent to a moved file. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { repositoryFiles } from './files.ts';

const root = process.cwd();
const { scripts = {} } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts?: Record<string, string> };
const files = repositoryFiles(root);
const topLevel = ['src', 'docs', 'scripts', 'test', 'bench', 'web', 'deploy', '.ci'];
/**
 * Matches `src/x.ts`, `docs/`, `.ci/run`, but neither placeholders (`<id>`, `*`, `{a,b}`, NNNN, …) nor the tail of a longer
 * path or URL.
 */
const citation = new RegExp(`(?<![\\w./@<-])(?:${topLevel.map((name) => name.replace('.', '\\.')).join('|')})/[\\w./*<>{},…-]*`, 'g');
const placeholder = /[*<>{},…]|NNNN/;

function citedPaths(text: string): string[] {
  return [...text.matchAll(citation)].map(([path]) => path.replace(/[.,]+$/, '')).filter((path) => !placeholder.test(path));
}

function citedLinks(markdown: string, from: string): string[] {
  return [...markdown.matchAll(/\]\(([^)\s#]+)(?:#[^)]*)?\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => normalize(join(dirname(from), target)));
}

function citedScripts(markdown: string): string[] {
  return [...markdown.matchAll(/\bnpm run ([a-z][\w:-]*)/g)].map((match) => match[1] ?? '');
}

const problems = files.flatMap((file) => {
  const text = readFileSync(join(root, file), 'utf8');
  const missing = (paths: string[]) =>
    paths.filter((path) => !existsSync(join(root, path))).map((path) => `${file}: cites ${path}, which does not exist`);
  if (file.endsWith('.md')) {
    const unknown = citedScripts(text).filter((name) => !(name in scripts));
    return [
      ...missing([...citedPaths(text.replaceAll(/\]\([^)]*\)/g, ']')), ...citedLinks(text, file)]),
      ...unknown.map((name) => `${file}: cites npm run ${name}, which package.json does not have`),
    ];
  }
  // In code, only citations of documentation are checked. The compiler checks imports, and some seeds in tests are wrong on
  // purpose.
  if (/^(?:src|scripts|bench)\/.*\.(?:ts|mjs)$/.test(file))
    return missing(citedPaths(text).filter((path) => path.startsWith('docs/') && path.endsWith('.md')));
  return [];
});

for (const problem of problems) console.error(problem);
console.log(`${files.filter((file) => file.endsWith('.md')).length} documents, ${problems.length} dead citations`);
process.exit(problems.length === 0 ? 0 : 1);

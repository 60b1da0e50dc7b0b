/** Checks that no file in the repository contains a name of the writing machine, the host of a package registry, or a private key. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryFiles } from './files.ts';

const root = process.cwd();
const registry = URL.parse(process.env.npm_config_registry ?? '')?.host;
const forbidden: { what: string; pattern: RegExp }[] = [
  { what: 'a path of one machine', pattern: /(?<![\w.$}/-])\/(?:root|work|home\/(?!node\b)\w+|Users\/\w+)(?:\/|\b)(?=[\w.-])/ },
  { what: 'a path of one machine', pattern: /\b[A-Z]:\\+Users\\+\w+/ },
  { what: 'a package registry', pattern: /https?:\/\/(?:[\w-]+\.)*(?:registry|npm|pypi|artifactory|nexus)[\w-]*\.[\w.-]+/ },
  { what: 'a private key', pattern: /-----BEGIN (?:[A-Z]+ )?PRIVATE KEY-----\s*\n\s*[\w+/=]{20,}/ },
];
if (registry) forbidden.push({ what: 'the package registry of this machine', pattern: new RegExp(registry.replaceAll('.', '\\.')) });

const problems = repositoryFiles(root).flatMap((file) => {
  const text = readFileSync(join(root, file), 'utf8');
  if (text.includes('\0')) return [];
  return forbidden.flatMap(({ what, pattern }) => {
    const match = pattern.exec(text);
    return match ? [`${file}:${text.slice(0, match.index).split('\n').length}: ${what}: ${match[0].split('\n')[0]}`] : [];
  });
});

for (const problem of problems) console.error(problem);
console.log(`${problems.length} leaks`);
process.exit(problems.length === 0 ? 0 : 1);

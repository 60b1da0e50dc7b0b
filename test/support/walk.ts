import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { repository } from './seeded.ts';

/** Some lines of a shell block, and the output that the document promises for them. */
export interface Step {
  /** Line of the document where the step begins. */
  line: number;
  code: string[];
  /** The text after `# → `, line by line; empty when the document promises nothing. */
  printed: string[];
}

/** The steps in the ```sh blocks of a document, in order. A step ends with its `# → ` lines, or at the end of its block. */
export function stepsOf(markdown: string): Step[] {
  const steps: Step[] = [];
  let step: Step | undefined;
  let inside = false;
  for (const [index, text] of markdown.split('\n').entries()) {
    if (text.startsWith('```')) {
      inside = !inside && text === '```sh';
      step = undefined;
    } else if (inside) {
      const promise = /^# → ?(.*)$/.exec(text)?.[1];
      if (!step || (promise === undefined && step.printed.length > 0)) steps.push((step = { line: index + 1, code: [], printed: [] }));
      if (promise === undefined) step.code.push(text);
      else step.printed.push(promise);
    }
  }
  return steps;
}

/** Whether the output fits; `…` stands for any text, also for none. */
function fits(printed: string[], output: string): boolean {
  const pattern = printed
    .join('\n')
    .split('…')
    .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
    .join('[^]*');
  return new RegExp(`^${pattern}$`).test(output.trim());
}

/**
 * Runs the steps in one bash in the root of the repository, like a reader who pastes them. Stops at the first command that
 * fails.
 * @returns one line per step that did not do what the document says
 */
export async function walk(document: string, steps: readonly Step[], env: NodeJS.ProcessEnv = process.env): Promise<string[]> {
  const mark = '=== end of step';
  const script = steps.flatMap(({ code }, index) => [...code, `printf '\\n${mark} %s\\n' ${index}`]);
  const { code, stdout, stderr } = await bash(['set -euo pipefail', ...script].join('\n'), env);
  const outputs = stdout.split(new RegExp(`\n${mark} \\d+\n`));
  const problems = steps.flatMap(({ line, printed }, index) => {
    const output = outputs[index];
    if (index >= outputs.length - 1 || printed.length === 0 || fits(printed, output!)) return [];
    return [`${document}:${line}: says\n${printed.join('\n')}\nand prints\n${output!.trim()}`];
  });
  const stopped = steps[outputs.length - 1];
  if (stopped) problems.push(`${document}:${stopped.line}: stopped with ${code}\n${outputs.at(-1)!.trim()}\n${stderr.trim()}`);
  return problems;
}

async function bash(script: string, env: NodeJS.ProcessEnv): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'proxie-walk-'));
  const file = join(folder, 'script.sh');
  writeFileSync(file, script);
  // bash reads the script from a file. From standard input, a command that reads would consume the rest of the script.
  const child = spawn('bash', [file], { cwd: repository, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', resolve);
    });
    return { code, stdout, stderr };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

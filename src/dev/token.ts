import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { ConfigError, loadStackConfig } from '../config.ts';
import { homePaths } from './home.ts';
import type { TokenRequest } from './issuer.ts';
import { StackError } from './progress.ts';
import { readStackFile } from './stack-file.ts';

/**
 * `npm run token`: prints a token of the development issuer for any subject, with nothing else on stdout. The issuer is a part
 * of the stack of `npm start`; in production there is none.
 */
const usage = `npm run token [-- [--subject ID] [--roles consumer,provider,admin] [--name NAME] [--email ADDRESS] [--days N]]
  --subject  whose token: the same subject is the same user; without it a new one
  --roles    what the token lets them act as; without it as the database says: consumer, provider too once they are enrolled
  --name     the name of a user who is seen for the first time; later they change it with PATCH /me
  --email    their e-mail address; a token with another one changes it
  --days     how long the token lasts; 30 without it
Prints one token: TOKEN=$(npm run --silent token -- --subject alice)
The stack of this checkout issues it, or the one of PROXIE_HOME. More: docs/clients.md`;

const known = ['consumer', 'provider', 'admin'];
const daySeconds = 86_400;

function wanted(args: readonly string[]): TokenRequest | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args: [...args],
    options: {
      subject: text,
      roles: text,
      name: text,
      email: text,
      days: { ...text, default: '30' },
      help: { type: 'boolean', short: 'h' },
    },
  });
  if (values.help) return 'help';
  const { subject = `user-${randomUUID().slice(0, 8)}`, name, email } = values;
  const roles = (values.roles ?? '').split(',').flatMap((role) => role.trim() || []);
  const strange = roles.find((role) => !known.includes(role));
  if (strange !== undefined) throw new StackError(`There is no role ${strange}: --roles takes ${known.join(', ')}, separated by commas.`);
  const days = Number(values.days);
  if (!(days > 0 && days <= 365)) throw new StackError('--days takes a number above 0, 365 at most.');
  return { subject, roles, lifetimeS: Math.ceil(days * daySeconds), ...(name && { name }), ...(email && { email }) };
}

/** Gets a token from the running stack. @throws StackError saying what to do when there is no issuer */
async function issued(request: TokenRequest): Promise<string> {
  const { home, environment } = loadStackConfig();
  const [start, where] = [home === '.proxie' ? 'npm start' : `PROXIE_HOME=${home} npm start`, `in ${home}`];
  if (environment === 'production') throw new StackError('Production has no development issuer: get a token from your identity provider.');
  const stack = readStackFile(homePaths(home).stackFile);
  if (!stack) throw new StackError(`No stack runs ${where}. Start it first: ${start}`);
  const { token, jwks } = stack.urls;
  if (!token && stack.state === 'ready' && !jwks)
    throw new StackError(`The stack ${where} uses the identity provider of AUTH_JWKS_URL: get a token there.`);
  if (!token) throw new StackError(`The stack ${where} is ${stack.state}. Try again when it is ready.`);
  const response = await fetch(token, { method: 'POST', body: JSON.stringify(request), signal: AbortSignal.timeout(5_000) }).catch(
    (cause: unknown) => {
      throw new StackError(`The stack ${where} does not answer any more. Start it again: ${start}`, { cause });
    },
  );
  const answer = (await response.json()) as { access_token?: string; error_description?: string };
  if (!answer.access_token) throw new StackError(answer.error_description ?? `The issuer answered ${response.status}.`);
  return answer.access_token;
}

async function main(args: readonly string[]): Promise<void> {
  const request = wanted(args);
  if (request === 'help') return void process.stdout.write(`${usage}\n`);
  process.stdout.write(`${await issued(request)}\n`);
  // Goes to stderr, because `$(…)` takes stdout.
  const roles = request.roles.length > 0 ? request.roles.join(', ') : 'roles as the database says';
  process.stderr.write(`${request.subject} (${roles}), for ${Math.round(request.lifetimeS! / daySeconds)} days\n`);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const isOption = error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS');
  const message =
    error instanceof StackError || error instanceof ConfigError ? error.message : isOption ? `${error.message}\n${usage}` : error;
  process.stderr.write(`✗ ${String(message)}\n`);
  process.exitCode = 1;
});

/** Keys with these prefixes are meant for Proxie, so an unknown one is reported. */
const ourPrefixes = [
  'PROXIE_',
  'DATABASE_',
  'AUTH_',
  'LLM_',
  'WORKER_',
  'OPENAI_',
  'SMTP_',
  'MAIL_',
  'REDIS_',
  'CURSOR_',
  'COMMAND_',
  'RATE_LIMIT_',
  'TRUST_PROXY_',
  'LOG_',
  'POLICY_',
  'TEMPORAL_',
  'STRIPE_',
];
/**
 * Keys that others read: the test set-up, the libraries for OpenAI, Stripe and Temporal, and the variables that Kubernetes
 * makes from services.
 */
const read =
  /^PROXIE_TEST_|^OPENAI_(ORG_ID|PROJECT_ID|LOG|WEBHOOK_SECRET)$|^STRIPE_SUPPRESS_NOTICES$|^TEMPORAL_(TLS_.+|GRPC_META_.+|PROFILE|CONFIG_FILE|CODEC_.+|ENV|CLI_.+)$/;
const madeByKubernetes = /_(SERVICE_HOST|SERVICE_PORT(_.+)?|PORT_\d+_(TCP|UDP)(_.+)?)$/;

/** One sentence for each key of `env` that looks like one of ours but is unknown, with the key that was probably meant. */
export function unknownKeys(env: Readonly<Record<string, string | undefined>>, known: readonly string[]): string[] {
  return Object.keys(env)
    .filter((key) => ourPrefixes.some((prefix) => key.startsWith(prefix)))
    .filter((key) => !known.includes(key) && !read.test(key) && !madeByKubernetes.test(key) && !env[key]?.startsWith('tcp://'))
    .map((key) => {
      const near = closest(key, known);
      return near ? `${key} is unknown; did you mean ${near}?` : `${key} is unknown`;
    });
}

function closest(key: string, known: readonly string[]): string | undefined {
  const [best] = known.map((name) => ({ name, distance: editDistance(key, name) })).sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(3, key.length / 4) ? best.name : undefined;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

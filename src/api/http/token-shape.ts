// Refuses tokens by their shape. Verification libraries leave these attacks to the application (RFC 8725bis).

/** Headers that name a key or ask for special treatment. We know our keys, so no honest token needs these headers. */
const refusedHeaders = ['jku', 'x5u', 'jwk', 'x5c', 'crit', 'b64', 'zip', 'enc', 'cty'];

export const maxTokenLength = 8_192;

/** The protected header of a compact JWS, or undefined when the token must not even be verified. */
export function acceptableHeader(token: string): Record<string, unknown> | undefined {
  if (token.length > maxTokenLength) return undefined;
  const parts = token.split('.');
  if (parts.length !== 3 || parts.some((part) => !/^[A-Za-z0-9_-]+$/.test(part))) return undefined;
  const [header, claims] = parts.slice(0, 2).map((part) => Buffer.from(part, 'base64url').toString());
  const parsed = parseObject(header!);
  if (!parsed || refusedHeaders.some((name) => name in parsed) || hasDuplicateKeys(header!) || hasDuplicateKeys(claims!)) return undefined;
  return parsed;
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

/** Whether the top level has a member twice. Parsers disagree on which of the two counts, so such a token is refused. */
export function hasDuplicateKeys(json: string): boolean {
  const seen = new Set<string>();
  let depth = 0;
  let last = '';
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|[{}[\]:]/g)) {
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth -= 1;
    else if (token !== ':') last = token;
    else if (depth === 1) {
      const key = unescaped(last);
      if (seen.has(key)) return true;
      seen.add(key);
    }
  }
  return false;
}

/** `"\u0069ss"` and `"iss"` are the same name. */
function unescaped(literal: string): string {
  try {
    return JSON.parse(literal) as string;
  } catch {
    return literal;
  }
}

import type { Request } from 'express';
import { DomainError, invalid } from '../../domain/errors.ts';

export const maxBodyBytes = 64 * 1024;
const maxDepth = 32;

// A byte order mark is kept, so the parser refuses it. Bytes that are not UTF-8 throw.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const jsonType = /^application\/json\s*(?:;\s*charset="?utf-8"?\s*)?$/i;

/**
 * Reads a JSON body of at most 64 kB. Compressed bodies are refused (415), so no small body can unpack to a huge one.
 * @throws unsupported_media_type · payload_too_large · malformed (not JSON, nested too deep) · validation_failed (text no
 * database can hold)
 */
export async function readJson(req: Request): Promise<unknown> {
  const {
    'content-type': type,
    'content-encoding': encoding = 'identity',
    'content-length': length,
    'transfer-encoding': transfer,
  } = req.headers;
  // An empty body has no type that could be wrong. The schema decides whether a body is required.
  if (transfer === undefined && Number(length ?? 0) === 0) return undefined;
  if (!type || !jsonType.test(type) || encoding !== 'identity') throw new DomainError('unsupported_media_type');
  if (Number(length) > maxBodyBytes) throw new DomainError('payload_too_large');
  return parseJson(await readBytes(req, maxBodyBytes));
}

/**
 * Reads at most `maxBytes`. It refuses at the first byte over the limit instead of waiting for the rest, which may never end.
 * @throws payload_too_large · malformed
 */
export function readBytes(req: Request, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    req.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= maxBytes) return void chunks.push(chunk);
      req.pause();
      reject(new DomainError('payload_too_large'));
    });
    req.once('end', () => resolve(Buffer.concat(chunks)));
    req.once('error', () => reject(new DomainError('malformed')));
    req.once('close', () => reject(new DomainError('malformed')));
  });
}

function parseJson(bytes: Uint8Array): unknown {
  let value: unknown;
  try {
    value = JSON.parse(utf8.decode(bytes));
  } catch {
    throw new DomainError('malformed');
  }
  checkText(value);
  return value;
}

/**
 * Refuses text that later layers would change or reject. It does not recurse, because the sender chooses how deep the nesting
 * is.
 * @throws validation_failed
 */
export function checkText(root: unknown): void {
  const open: { value: unknown; pointer: string; depth: number }[] = [{ value: root, pointer: '', depth: 0 }];
  for (let step = open.pop(); step; step = open.pop()) {
    const { value, pointer, depth } = step;
    if (typeof value === 'number' && !Number.isFinite(value)) throw new DomainError('malformed', 'A number is out of range.');
    if (typeof value === 'string') refuseText(value, pointer);
    if (typeof value !== 'object' || value === null) continue;
    if (depth === maxDepth) throw new DomainError('malformed', `Nested deeper than ${maxDepth} levels.`);
    for (const [key, child] of Object.entries(value)) {
      const below = `${pointer}/${escapePointer(key)}`;
      // Object schemas skip this one key without a word. All other unknown fields are refused, so this one is refused here.
      if (key === '__proto__') throw refusedField(below, 'Unknown field.');
      refuseText(key, below);
      open.push({ value: child, pointer: below, depth: depth + 1 });
    }
  }
}

/** Postgres cannot store NUL, and half a surrogate pair would come back changed. */
function refuseText(text: string, pointer: string): void {
  if (text.includes('\u0000')) throw refusedField(pointer, 'Must not contain NUL characters.');
  if (!text.isWellFormed()) throw refusedField(pointer, 'Must be well-formed Unicode.');
}

const refusedField = (field: string, message: string) => invalid(printable(field), message);

const printable = (pointer: string) => pointer.toWellFormed().replaceAll('\u0000', '\\u0000').slice(0, 200);

/** One step of a JSON pointer (RFC 6901). */
export const escapePointer = (key: string): string => key.replaceAll('~', '~0').replaceAll('/', '~1');

import { createHash } from 'node:crypto';
import { canonicalJson, type Draft } from '../domain/intake/decide.ts';

/** What a person says yes to: 132 bits of the SHA-256 of the canonical draft. Not for workflow code (node:crypto). */
export const draftHash = (draft: Draft): string => createHash('sha256').update(canonicalJson(draft)).digest('base64url').slice(0, 22);

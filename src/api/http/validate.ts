import type { z } from 'zod';
import { DomainError } from '../../domain/errors.ts';
import { escapePointer } from './json-body.ts';

export interface FieldProblem {
  /** The part of the request that the value came from; `field` is a JSON pointer into it. */
  in: 'body' | 'query' | 'path';
  field: string;
  message: string;
}

const maxFields = 50;

/** Parses one part of a request. @throws validation_failed naming every wrong field */
export function validated<S extends z.ZodType>(schema: S, value: unknown, part: FieldProblem['in']): z.output<S> {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const fields = fieldsAtFault(result.error.issues, part);
  throw new DomainError('validation_failed', undefined, { fields: fields.slice(0, maxFields) });
}

export function fieldsAtFault(issues: readonly z.core.$ZodIssue[], part: FieldProblem['in']): FieldProblem[] {
  return issues.flatMap((issue) => {
    const pointer = issue.path.map((key) => `/${escapePointer(String(key))}`).join('');
    if (issue.code !== 'unrecognized_keys') return [{ in: part, field: pointer, message: issue.message }];
    return issue.keys.map((key) => ({ in: part, field: `${pointer}/${escapePointer(key)}`.slice(0, 200), message: 'Unknown field.' }));
  });
}

type AnyDef = { type: string; catchall?: z.ZodType } & Record<string, unknown>;
const defOf = (schema: z.core.$ZodType): AnyDef => schema._zod.def as unknown as AnyDef;

/**
 * Refuses, at registration, a schema that would drop unknown fields. A field that a client must not set has to be answered with
 * 422, and a typing error in a field name must not look like success.
 * @throws Error
 */
export function assertStrict(schema: z.core.$ZodType, where: string, seen = new Set<unknown>()): void {
  if (seen.has(schema)) return;
  seen.add(schema);
  const def = defOf(schema);
  if (def.type === 'object') {
    if (!def.catchall) throw new Error(`${where}: use z.strictObject, so that unknown fields are refused`);
    for (const [key, child] of Object.entries(def.shape as Record<string, z.core.$ZodType>)) assertStrict(child, `${where}.${key}`, seen);
  }
  const below = [
    def.element,
    def.innerType,
    def.in,
    def.left,
    def.right,
    def.valueType,
    ...((def.options ?? def.items ?? []) as unknown[]),
  ];
  if (def.type === 'lazy') below.push((def.getter as () => unknown)());
  for (const child of below) if (child && typeof child === 'object' && '_zod' in child) assertStrict(child as z.core.$ZodType, where, seen);
}

import type { z } from 'zod';
import { defaultPolicy, type Policy } from './domain/policy.ts';

/** The default policy, with the fields of a JSON object replacing its own. */
export function toPolicy(text: string, context: z.RefinementCtx): Policy {
  const changes = parseJson(text);
  if (!isRecord(changes)) {
    context.addIssue('must be a JSON object of policy fields');
    return defaultPolicy;
  }
  // `payments` follows from PAYMENTS, so that no booking asks for a payment provider that is not configured.
  if ('payments' in changes) context.addIssue('must not set payments: use PAYMENTS');
  const wrong = Object.keys(changes).find((key) => !fits(changes[key], own(defaultPolicy, key)));
  if (wrong !== undefined) context.addIssue(`names "${wrong}", which is no field of the policy or has the wrong type`);
  // A changed policy gets another version name, so that a timeline shows the rules it ran by.
  const version = Object.keys(changes).length > 0 ? `${defaultPolicy.version}+changed` : defaultPolicy.version;
  return merged({ ...defaultPolicy }, { version, ...changes }) as unknown as Policy;
}

/** Merges objects field by field; lists and values are replaced as a whole. */
function merged(base: Record<string, unknown>, changes: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(changes).map(([key, value]) => {
    const before = own(base, key);
    return [key, isRecord(before) && isRecord(value) ? merged(before, value) : value];
  });
  return { ...base, ...Object.fromEntries(entries) };
}

/** Whether `value` may replace `model`: same shape, numbers finite and not negative. */
function fits(value: unknown, model: unknown): boolean {
  if (typeof model === 'number') return typeof value === 'number' && Number.isFinite(value) && value >= 0;
  if (Array.isArray(model)) return Array.isArray(value) && value.every((item) => fits(item, model[0]));
  if (isRecord(model)) return isRecord(value) && Object.keys(value).every((key) => fits(value[key], own(model, key)));
  return typeof model === typeof value && model !== undefined;
}

/** The own field only, never one of `Object.prototype`: a field named `constructor` is no field of the policy. */
const own = (model: object, key: string): unknown => (Object.hasOwn(model, key) ? model[key as keyof typeof model] : undefined);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

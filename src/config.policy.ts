import type { z } from 'zod';
import { defaultPolicy, type Policy } from './domain/policy.ts';

/** The default policy with the fields of a JSON object in place of its own. */
export function toPolicy(text: string, context: z.RefinementCtx): Policy {
  const changes = parseJson(text);
  if (!isRecord(changes)) {
    context.addIssue('must be a JSON object of policy fields');
    return defaultPolicy;
  }
  const wrong = Object.keys(changes).find((key) => !fits(changes[key], own(defaultPolicy, key)));
  if (wrong !== undefined) context.addIssue(`names "${wrong}", which is no field of the policy or has the wrong type`);
  const roundWindowMs = { ...defaultPolicy.roundWindowMs, ...(isRecord(changes.roundWindowMs) ? changes.roundWindowMs : {}) };
  // Another version name, so that a timeline shows by which rules it ran.
  const version = Object.keys(changes).length > 0 ? `${defaultPolicy.version}+changed` : defaultPolicy.version;
  return { ...defaultPolicy, version, ...changes, roundWindowMs };
}

/** Whether `value` may stand where `model` stands: same shape, numbers finite and not negative. */
function fits(value: unknown, model: unknown): boolean {
  if (typeof model === 'number') return typeof value === 'number' && Number.isFinite(value) && value >= 0;
  if (Array.isArray(model)) return Array.isArray(value) && value.every((item) => fits(item, 0));
  if (isRecord(model)) return isRecord(value) && Object.keys(value).every((key) => fits(value[key], own(model, key)));
  return typeof model === typeof value && model !== undefined;
}

/** Never what `Object.prototype` has: a field named `constructor` is no field. */
const own = (model: object, key: string): unknown => (Object.hasOwn(model, key) ? model[key as keyof typeof model] : undefined);

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

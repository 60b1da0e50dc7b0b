import type { Interpreter } from './interpreter.ts';
import { ModelError } from './openai.ts';

export interface FallbackOptions {
  /** Whether the budget allows another model call. Without this function every call is allowed. */
  mayCall?: () => Promise<boolean>;
  /** After this many failures in a row the model is not called for `restMs` milliseconds. */
  failures?: number;
  restMs?: number;
  /** Milliseconds since any fixed point. */
  clock?: () => number;
}

export interface Fallback extends Interpreter {
  /** For monitoring. `open`: the model is not called for now. */
  circuit(): { state: 'closed' | 'open' | 'half_open'; failures: number };
}

/**
 * Asks the model, and the offline interpreter when the model gives no usable answer: a turn always ends with a reply. After
 * `failures` failures in a row the model is not called for `restMs`, so that people do not wait for another timeout.
 */
export function withFallback(model: Interpreter, offline: Interpreter, options: FallbackOptions = {}): Fallback {
  const { mayCall, failures: limit = 5, restMs = 30_000, clock = () => performance.now() } = options;
  let failures = 0;
  let openUntil = 0;
  let trying = false;
  const state = () => (failures < limit ? 'closed' : clock() < openUntil || trying ? 'open' : 'half_open');

  return {
    circuit: () => ({ state: state(), failures }),
    async interpret(input, calling = {}) {
      const before = state();
      if (before === 'open') return { ...(await offline.interpret(input, calling)), fellBack: 'circuit_open' };
      trying = before === 'half_open';
      try {
        // The budget is checked inside `try`, so that a failed check also ends in an offline answer.
        if (mayCall && !(await mayCall())) return { ...(await offline.interpret(input, calling)), fellBack: 'over_budget' };
        const answer = await model.interpret(input, calling);
        failures = 0;
        return answer;
      } catch (error) {
        // A cancelled turn is no failure of the model and needs no answer.
        calling.signal?.throwIfAborted();
        const fault = error instanceof ModelError ? error.fault : 'broken';
        // An unusable answer or a refusal does not count: the model's server works.
        if (fault !== 'unusable' && fault !== 'refused') failures += 1;
        if (failures >= limit) openUntil = clock() + restMs;
        const usage = error instanceof ModelError ? error.usage : { inputTokens: 0, outputTokens: 0 };
        return { ...(await offline.interpret(input, calling)), usage, fellBack: fault };
      } finally {
        trying = false;
      }
    },
  };
}

import type { Interpreter } from './interpreter.ts';
import { ModelError } from './openai.ts';

export interface FallbackOptions {
  /** Whether a model call may be paid for; without it every call may. */
  mayCall?: () => Promise<boolean>;
  /** Failures in a row after which the model is left alone, and for how long. */
  failures?: number;
  restMs?: number;
  /** Milliseconds since any fixed point. */
  clock?: () => number;
}

export interface Fallback extends Interpreter {
  /** For monitoring: `open` means that the model is being left alone. */
  circuit(): { state: 'closed' | 'open' | 'half_open'; failures: number };
}

/**
 * The model when it answers, else the offline reading: a turn always ends with a reply. After several failures in a row
 * the model is not asked at all for a while, so that nobody waits for a timeout that is already known.
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
        // Checked inside, so that a broken budget check also ends in an answer.
        if (mayCall && !(await mayCall())) return { ...(await offline.interpret(input, calling)), fellBack: 'over_budget' };
        const answer = await model.interpret(input, calling);
        failures = 0;
        return answer;
      } catch (error) {
        // A cancelled turn is not the model's fault and needs no answer.
        calling.signal?.throwIfAborted();
        const fault = error instanceof ModelError ? error.fault : 'broken';
        // A bad answer says nothing about the server's health.
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

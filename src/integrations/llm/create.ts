import { withFallback, type Fallback, type FallbackOptions } from './fallback.ts';
import type { Interpreter } from './interpreter.ts';
import { createOfflineInterpreter } from './offline/interpreter.ts';
import { createOpenAiInterpreter } from './openai.ts';

export interface InterpreterOptions extends FallbackOptions {
  /** OPENAI_API_KEY */
  apiKey?: string | undefined;
  /** OPENAI_BASE_URL, including `/v1`: any OpenAI-compatible server. */
  baseUrl?: string | undefined;
  /** OPENAI_MODEL */
  model?: string | undefined;
  /** Time limit in milliseconds for all model calls of one turn. */
  timeoutMs?: number;
}

/** With a key or a server configured: the model, and the offline interpreter when the model fails. Else: the offline interpreter alone. */
export function createInterpreter({ apiKey, baseUrl, model = 'gpt-4.1-mini', timeoutMs = 12_000, ...fallback }: InterpreterOptions = {}):
  Interpreter | Fallback {
  const offline = createOfflineInterpreter();
  if (!apiKey && !baseUrl) return offline;
  return withFallback(createOpenAiInterpreter({ apiKey, baseUrl, model, timeoutMs }), offline, fallback);
}

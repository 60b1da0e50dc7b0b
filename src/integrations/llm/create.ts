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
  /** For a whole turn's model calls. */
  timeoutMs?: number;
}

/** A model when a key or a server is configured, with the offline reading behind it; else the offline reading alone. */
export function createInterpreter({ apiKey, baseUrl, model = 'gpt-4.1-mini', timeoutMs = 12_000, ...fallback }: InterpreterOptions = {}):
  Interpreter | Fallback {
  const offline = createOfflineInterpreter();
  if (!apiKey && !baseUrl) return offline;
  return withFallback(createOpenAiInterpreter({ apiKey, baseUrl, model, timeoutMs }), offline, fallback);
}

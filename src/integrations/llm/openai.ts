import type OpenAI from 'openai';
import { createAckGuard, createAckReader } from './ack.ts';
import type { InterpretInput, InterpretOptions, Interpretation, Interpreter, PhraseCommand, Usage } from './interpreter.ts';
import { lazy } from './lazy.ts';
import { createMask, type Mask } from './mask.ts';
import { MAX_TEXT, plainText } from './offline/interpreter.ts';
import { answerSchema, answerShape, historyPrompt, promptVersion, systemPrompt, userPrompt } from './prompt.ts';
import { resolveCommands } from './resolve.ts';
import { cappedFetch, TooLarge } from './transport.ts';

export interface OpenAiOptions {
  /** Absent for servers that need no key. */
  apiKey?: string | undefined;
  /** Address of the server, including `/v1`. */
  baseUrl?: string | undefined;
  model: string;
  /** Time limit in milliseconds for one turn, all attempts together. */
  timeoutMs: number;
  maxBytes?: number;
  maxOutputTokens?: number;
  /** The longest `Retry-After` that a turn waits for. */
  maxRetryAfterMs?: number;
}

export type ModelFault = 'timeout' | 'rate_limited' | 'unavailable' | 'refused' | 'unusable' | 'too_large';

/** The model gave no usable answer, for the reason `fault`. `withFallback` answers offline then and keeps nothing of the answer. */
export class ModelError extends Error {
  readonly fault: ModelFault;
  readonly retryAfterMs: number | undefined;
  readonly usage: Usage;

  constructor(
    fault: ModelFault,
    message: string,
    {
      retryAfterMs,
      usage = { inputTokens: 0, outputTokens: 0 },
      cause,
    }: { retryAfterMs?: number | undefined; usage?: Usage; cause?: unknown } = {},
  ) {
    super(message, { cause });
    this.name = 'ModelError';
    this.fault = fault;
    this.retryAfterMs = retryAfterMs;
    this.usage = usage;
  }
}

const loadOpenAi = lazy(() => import('openai'));
const HISTORY_TURNS = 6;
const PAUSE_MS = 250;

type Messages = OpenAI.Chat.Completions.ChatCompletionMessageParam[];

/**
 * An interpreter on any OpenAI-compatible server. `interpret` returns only checked answers.
 * @throws ModelError when the model gives no usable answer; the signal's reason when the turn was cancelled
 */
export function createOpenAiInterpreter(options: OpenAiOptions): Interpreter {
  const { maxBytes = 256 * 1024, maxRetryAfterMs = 2_000 } = options;
  const client = lazy(async () => {
    const { OpenAI: Client } = await loadOpenAi();
    // The client's constructor throws without a key, also for servers that need none. This file retries, so the client must not.
    return new Client({
      apiKey: options.apiKey || 'none',
      baseURL: options.baseUrl,
      maxRetries: 0,
      timeout: options.timeoutMs,
      fetch: cappedFetch(maxBytes),
      logLevel: 'off',
    });
  });

  async function interpret(input: InterpretInput, { signal, onDelta }: InterpretOptions = {}): Promise<Interpretation> {
    const deadline = AbortSignal.timeout(options.timeoutMs);
    const ends = Date.now() + options.timeoutMs;
    const both = signal ? AbortSignal.any([signal, deadline]) : deadline;
    const masked = await maskInput(input);
    const usage: Usage = { inputTokens: 0, outputTokens: 0 };
    const messages = messagesFor(masked.input);
    const stream = deltaFilter(masked, onDelta);
    const answer = await answered();
    return finish(answer, masked, input, usage);

    /** Gets a valid answer, with at most one retry and one repair. */
    async function answered(): Promise<Answer> {
      let repaired = false;
      for (let attempt = 1; ; attempt++) {
        try {
          const raw = await complete(await client(), messages, masked.input, both, usage, attempt === 1 ? stream : undefined);
          const answer = parseAnswer(raw, masked.input);
          if (typeof answer !== 'string') return answer;
          if (repaired) throw new ModelError('unusable', answer);
          repaired = true;
          // The rejected answer can contain anything. The model gets it back cut, and only in the role of the assistant.
          messages.push(
            { role: 'assistant', content: raw.slice(0, 2_000) },
            { role: 'user', content: `That was not usable: ${answer} Answer again with JSON of the given schema only.` },
          );
        } catch (error) {
          signal?.throwIfAborted();
          const fault = classify(error, deadline.aborted, usage);
          const wait = fault.retryAfterMs ?? PAUSE_MS;
          const again =
            attempt === 1 &&
            (fault.fault === 'rate_limited' || fault.fault === 'unavailable') &&
            wait <= maxRetryAfterMs &&
            Date.now() + wait < ends;
          if (!again) throw fault;
          await pause(wait, both);
          if (deadline.aborted) throw fault;
        }
      }
    }
  }

  async function complete(
    openai: OpenAI,
    messages: Messages,
    { catalogue }: InterpretInput,
    signal: AbortSignal,
    usage: Usage,
    onText?: (text: string) => void,
  ): Promise<string> {
    const stream = await openai.chat.completions.create(
      {
        model: options.model,
        messages,
        stream: true,
        stream_options: { include_usage: true },
        max_completion_tokens: options.maxOutputTokens ?? 800,
        response_format: { type: 'json_schema', json_schema: { name: 'intake', strict: true, schema: answerSchema(catalogue) } },
      },
      { signal },
    );
    let text = '';
    let ended = false;
    for await (const chunk of stream) {
      usage.inputTokens += chunk.usage?.prompt_tokens ?? 0;
      usage.outputTokens += chunk.usage?.completion_tokens ?? 0;
      const [choice] = chunk.choices ?? [];
      if (choice?.delta?.refusal) throw new ModelError('refused', 'The model refuses to answer.', { usage });
      const delta = choice?.delta?.content ?? '';
      if (delta) onText?.(delta);
      text += delta;
      ended ||= Boolean(choice?.finish_reason);
      if (choice?.finish_reason === 'content_filter') throw new ModelError('refused', 'The answer was filtered.', { usage });
    }
    // A stream ends without an exception when it was aborted, and also when its server went away.
    signal.throwIfAborted();
    if (!ended && !text) throw new ModelError('unavailable', 'The stream ended before it began.', { usage });
    return text;
  }

  return { interpret };

  async function finish(
    { ack, commands }: Answer,
    { mask, input: hidden }: Masked,
    input: InterpretInput,
    usage: Usage,
  ): Promise<Interpretation> {
    const restored = commands.map((command) => ({
      ...command,
      value: command.value === undefined ? undefined : plainText(mask.restore(command.value)),
    }));
    const checked = createAckGuard(hidden).fits(ack) && ack.trim() ? plainText(ack) : undefined;
    const proposals = await resolveCommands(restored, { ...input, text: plainText(input.text) });
    return { proposals, ...(checked ? { ack: checked } : {}), usage, model: options.model, promptVersion };
  }
}

interface Answer {
  ack: string;
  commands: PhraseCommand[];
}

interface Masked {
  mask: Mask;
  input: InterpretInput;
}

async function maskInput(input: InterpretInput): Promise<Masked> {
  // The salt must not be guessable, so that a person cannot write a mark. It need not stay secret after the turn.
  const mask = await createMask(crypto.randomUUID().slice(0, 8));
  const hide = (text: string) => mask.hide(plainText(text).slice(0, MAX_TEXT));
  const asked = input.asked && { ...input.asked, options: input.asked.options.map(({ label, value }) => ({ label: hide(label), value })) };
  return {
    mask,
    input: {
      ...input,
      asked,
      text: hide(input.text),
      history: input.history.slice(-HISTORY_TURNS).map(({ by, text }) => ({ by, text: hide(text) })),
    },
  };
}

function messagesFor(input: InterpretInput): Messages {
  return [
    { role: 'system', content: systemPrompt(input.catalogue) },
    ...input.history.map(({ by, text }) =>
      by === 'person' ? ({ role: 'user', content: historyPrompt(text) } as const) : ({ role: 'assistant', content: text } as const),
    ),
    { role: 'user', content: userPrompt(input) },
  ];
}

/**
 * Parses the model's JSON. The schema refuses some control characters; `plainText` removes the rest later.
 * @returns the answer, or a sentence that tells the model why its text is unusable
 */
function parseAnswer(raw: string, { catalogue }: InterpretInput): Answer | string {
  let json: unknown;
  try {
    json = JSON.parse(raw);
  } catch {
    return 'It is not JSON.';
  }
  const parsed = answerShape(catalogue).safeParse(json);
  if (!parsed.success)
    return `It does not match the schema at ${parsed.error.issues
      .slice(0, 3)
      .map(({ path }) => `/${path.join('/')}`)
      .join(', ')}.`;
  return {
    ack: parsed.data.ack,
    commands: parsed.data.commands.map(({ do: what, key, value }) => ({ do: what, key: key ?? undefined, value: value ?? undefined })),
  };
}

/** Passes on the acknowledgement word by word. Stops for the rest of the turn at the first word that the guard refuses. */
function deltaFilter({ input }: Masked, onDelta: ((text: string) => void) | undefined): ((chunk: string) => void) | undefined {
  if (!onDelta) return undefined;
  const reader = createAckReader();
  const guard = createAckGuard(input);
  let shown = '';
  let stopped = false;
  return (chunk) => {
    const ack = reader.push(chunk);
    // Only whole words are passed on: half a word cannot be checked.
    const whole = /^[\s\S]*[\s.!,]/.exec(ack)?.[0] ?? '';
    stopped ||= !guard.fits(whole.trim());
    if (stopped || whole.length <= shown.length) return;
    onDelta(whole.slice(shown.length));
    shown = whole;
  };
}

function classify(error: unknown, timedOut: boolean, usage: Usage): ModelError {
  if (error instanceof ModelError) return error;
  const because = { cause: error, usage };
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause)
    if (cause instanceof TooLarge) return new ModelError('too_large', cause.message, because);
  if (timedOut) return new ModelError('timeout', 'The model took too long.', because);
  const { status, headers } = error as { status?: number; headers?: Headers };
  if (status === 429)
    return new ModelError('rate_limited', 'The model is rate limited.', { ...because, retryAfterMs: retryAfter(headers) });
  if (status !== undefined && status >= 400 && status < 500 && status !== 408 && status !== 409)
    return new ModelError('refused', `The model's server answered ${status}.`, because);
  return new ModelError('unavailable', "The model's server could not be reached.", because);
}

function retryAfter(headers: Headers | undefined): number | undefined {
  const value = headers?.get?.('retry-after');
  if (!value) return undefined;
  const ms = /^\d+(?:\.\d+)?$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(ms) ? Math.max(0, ms) : undefined;
}

const pause = (ms: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
  });

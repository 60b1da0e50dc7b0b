import type { FactSpec, Location, TimeWindow } from '../../../domain/intake/catalogue.ts';
import type { InterpretInput } from '../interpreter.ts';
import { topicIn } from '../offline/intents.ts';
import { resolveWhen } from '../offline/when.ts';
import { say, type Binding, type Bound, type KindReading, type Message } from './reading.ts';

/** Confidence of a time while the place is unknown: the zone is assumed to be the person's own. */
const ASSUMED_ZONE = 0.6;

export const window: KindReading = {
  prompt: 'when: the phrase about date and time exactly as the person said it, never a computed date.',
  brief: (value) => value,
  find,
  bind,
  pick,
};

async function find(message: Message, { key }: FactSpec): Promise<void> {
  const { input, rest } = message;
  const expected = input.asked?.key === key;
  const found = await resolveWhen(rest, { now: input.now, zone: input.zone, expected });
  if (found.kind === 'unknown') return;
  // An unasked past time describes the problem (`it broke yesterday`). It is not a wish.
  if (found.kind === 'past' && !expected && !message.changing && message.commands.length > 0) return;
  // In `thanks, that is all for today`, `today` is not a wish.
  if (!expected && /\b(?:today|now|the day)\b/i.test(rest) && ['thanks', 'goodbye'].includes(topicIn(input.text) ?? '')) return;
  say(message, key, rest);
}

async function bind(phrase: string, { input, location, fact: { key } }: Binding): Promise<Bound> {
  const known = input.known[key]?.value as TimeWindow | undefined;
  const zone = location?.zone ?? input.zone;
  const reading = await resolveWhen(phrase, {
    now: input.now,
    zone,
    expected: input.asked?.key === key,
    ...(known ? { previous: known } : {}),
  });
  switch (reading.kind) {
    case 'window':
      return { value: reading.window, confidence: location ? 1 : ASSUMED_ZONE };
    case 'ambiguous':
      return { ask: reading.reason, options: reading.options };
    case 'past':
      return { ask: 'past' };
    case 'unknown':
      return { ask: 'not_understood' };
  }
}

/** Picks an offered window when the message's time overlaps only this window. */
async function pick({ text, asked, now, zone, known }: InterpretInput): Promise<number | undefined> {
  const windows = asked!.options.map(({ value }) => value as TimeWindow);
  const reading = await resolveWhen(text, { now, zone: (known['location']?.value as Location | undefined)?.zone ?? zone, expected: true });
  if (reading.kind !== 'window') return undefined;
  const { from, to } = reading.window;
  const fits = windows.flatMap((window, at) =>
    Date.parse(window.from) < Date.parse(to) && Date.parse(from) < Date.parse(window.to) ? [at] : [],
  );
  return fits.length === 1 ? fits[0] : undefined;
}

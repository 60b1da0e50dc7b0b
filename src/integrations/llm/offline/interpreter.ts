import { factOf, findService, universalFacts, type FactSpec } from '../../../domain/intake/catalogue.ts';
import { asksForPerson, corrects, leansNo, optionIn, saysCancel, saysYes, topicIn, wantsChangeOf } from './intents.ts';
import type { InterpretInput, Interpreter, PhraseCommand } from '../interpreter.ts';
import { readingOf } from '../kind/index.ts';
import type { Message } from '../kind/reading.ts';
import { createMask } from '../mask.ts';
import { resolveCommands } from '../resolve.ts';
import { loadTokenizer } from './vocabulary.ts';

/** Longer messages are cut to this number of characters, so that every reading stays quick. No request needs a longer text. */
export const MAX_TEXT = 4_000;

/**
 * Reads messages without a model, with vocabulary, calendar and gazetteer. This interpreter is the default without
 * configuration, and it answers when the model cannot.
 */
export function createOfflineInterpreter(): Interpreter {
  return {
    async interpret(input) {
      // Phone numbers are masked, because their digits are neither a time nor a budget. People do not type a private-use character.
      const mask = await createMask('\ue000');
      const text = mask.hide(plainText(input.text).slice(0, MAX_TEXT));
      const readable = text.replace(/\[(?:email|phone)-\ue000-\d+\]/g, ' ');
      const commands = await readMessage({ ...input, text: readable }, text);
      const restored = commands.map((command) =>
        command.value === undefined ? command : { ...command, value: mask.restore(command.value) },
      );
      return {
        proposals: await resolveCommands(restored, { ...input, text: readable }),
        usage: { inputTokens: 0, outputTokens: 0 },
        model: 'offline',
        promptVersion: 'offline-1',
      };
    },
  };
}

/** Text that Postgres and a model accept: without null bytes and control characters, in Unicode form NFC. */
export const plainText = (text: string): string =>
  text
    .normalize('NFC')
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f\u2028\u2029]/g, ' ')
    .trim();

async function readMessage(input: InterpretInput, original: string): Promise<PhraseCommand[]> {
  const { text, asked } = input;
  if (asksForPerson(text)) return [{ do: 'hand_off' }];
  if (saysCancel(text) || (asked?.key === 'cancel' && saysYes(text))) return [{ do: 'cancel' }];
  const picked = asked && asked.options.length > 0 ? await pick(input) : undefined;
  if (picked !== undefined) return [{ do: 'accept_suggestion', value: String(picked + 1) }, ...(await readEarlier(input, picked))];
  if (input.draftShown && !asked && saysYes(text)) return [{ do: 'confirm_draft' }];
  const facts = await readFacts(input, original);
  if (facts.length > 0) return facts;
  const topic = topicIn(text);
  if (topic) return [{ do: 'small_talk', value: topic }];
  const target = input.draftShown || asked?.key === 'change' ? wantsChangeOf(text) : undefined;
  if (target) return [{ do: 'ask', key: target }];
  // The message fits nothing above. It counts as a wish for an unknown service, or as an answer to the open question.
  if (!('service' in input.known) && wants.test(text)) return [{ do: 'set_fact', key: 'service', value: text }];
  const aboutFact = asked && asked.key !== 'change' && asked.key !== 'cancel';
  if (aboutFact && !leansNo(text)) return [{ do: 'set_fact', key: asked.key, value: text }];
  return [{ do: 'small_talk' }];
}

/** A wish for a service. When the service is unknown, the reply lists the services. */
const wants = /\b(?:need|want|looking for|find|book|hire|fix|repair|install|get)\b/i;

/** Reads facts that the person said before the service was known: `a cleaner for 2 bedrooms` → `standard or deep?` → `deep`. */
async function readEarlier(input: InterpretInput, picked: number): Promise<PhraseCommand[]> {
  const service = input.asked?.key === 'service' ? findService(input.catalogue, input.asked.options[picked]?.value) : undefined;
  if (!service) return [];
  const said = input.history.filter(({ by }) => by === 'person').map(({ text }) => plainText(text).slice(0, MAX_TEXT));
  const text = said.slice(-3).join('\n');
  const message = { ...(await begin({ ...input, text, asked: null }, text)), changing: false };
  for (const fact of service.facts) await findOwn(message, fact);
  return message.commands;
}

/** The index of the picked option: by number or words, by a yes to the only option, or by the `pick` of the fact's kind. */
async function pick(input: InterpretInput): Promise<number | undefined> {
  const { text, asked } = input;
  const index = optionIn(
    text,
    asked!.options.map(({ label }) => label),
  );
  if (index !== undefined) return index;
  if (asked!.options.length === 1 && saysYes(text)) return 0;
  const fact = factOf(findService(input.catalogue, input.known['service']?.value), asked!.key);
  return fact && readingOf(fact.kind).pick?.(input);
}

async function begin(input: InterpretInput, original: string): Promise<Message> {
  const { text, asked } = input;
  const tokenize = await loadTokenizer();
  const changing = corrects(text) || asked?.key === 'change';
  return { input, original, tokens: tokenize(text), tokenize, rest: text, commands: [], changing, service: undefined };
}

/**
 * Each reading removes its words from the message, so the order matters. Nothing inside a note is read as another fact, and
 * `when` comes last: `2 bedrooms` and `$60` are not times.
 */
async function readFacts(input: InterpretInput, original: string): Promise<PhraseCommand[]> {
  const message = await begin(input, original);
  for (const fact of universal('service', 'notes', 'location')) await readingOf(fact.kind).find(message, fact);
  for (const fact of message.service?.facts ?? []) await findOwn(message, fact);
  for (const fact of universal('budget', 'when')) await readingOf(fact.kind).find(message, fact);
  return message.commands;
}

const universal = (...keys: string[]) => keys.flatMap((key) => universalFacts.filter((fact) => fact.key === key));

/** A known fact of the service is read again only when the person was asked for it or announces a change. */
async function findOwn(message: Message, fact: FactSpec): Promise<void> {
  const { input: { known, asked }, changing } = message; // prettier-ignore
  if (fact.key in known && asked?.key !== fact.key && !changing) return;
  await readingOf(fact.kind).find(message, fact);
}

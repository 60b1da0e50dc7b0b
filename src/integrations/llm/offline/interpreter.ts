import { findService, servicesOf, type FactSpec, type Location, type ServiceSpec } from '../../../domain/intake/catalogue.ts';
import { countOf, readInteger, readMoney } from './amount.ts';
import { asksForPerson, corrects, leansNo, leansYes, optionIn, saysCancel, saysYes, topicIn, wantsChangeOf } from './intents.ts';
import type { InterpretInput, Interpreter, PhraseCommand } from '../interpreter.ts';
import { createMask } from '../mask.ts';
import { addressIn, resolvePlace } from './place.ts';
import { resolveCommands } from '../resolve.ts';
import { categoryIn, choiceIn, findPhrase, loadTokenizer, servicesIn, vocabularyOf, type Token, type Tokenize } from './vocabulary.ts';
import { resolveWhen } from './when.ts';

/** A message longer than this is cut: nobody describes a haircut in more, and every reading stays quick. */
export const MAX_TEXT = 4_000;

/**
 * Understands messages without a model: vocabulary, calendar and gazetteer. The default on a fresh machine, and what answers
 * when a model cannot.
 */
export function createOfflineInterpreter(): Interpreter {
  return {
    async interpret(input) {
      // Digits of a phone number are neither a time nor a budget. A private-use character, so nobody types the mark.
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

/** Text that Postgres and a model can take: no null bytes, no control characters, one form per letter. */
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
  // What was asked is still open, and this was no answer to it.
  if (!('service' in input.known) && wants.test(text)) return [{ do: 'set_fact', key: 'service', value: text }];
  const aboutFact = asked && asked.key !== 'change' && asked.key !== 'cancel';
  if (aboutFact && !leansNo(text)) return [{ do: 'set_fact', key: asked.key, value: text }];
  return [{ do: 'small_talk' }];
}

/** A wish that names nothing we know: then it is said what there is. */
const wants = /\b(?:need|want|looking for|find|book|hire|fix|repair|install|get)\b/i;

/** `a cleaner for 2 bedrooms` → `standard or deep?` → `deep`: the bedrooms were said before the service was known. */
async function readEarlier(input: InterpretInput, picked: number): Promise<PhraseCommand[]> {
  const service = input.asked?.key === 'service' ? findService(input.catalogue, input.asked.options[picked]?.value) : undefined;
  if (!service) return [];
  const said = input.history.filter(({ by }) => by === 'person').map(({ text }) => plainText(text).slice(0, MAX_TEXT));
  const text = said.slice(-3).join('\n');
  const tokenize = await loadTokenizer();
  const reading: Reading = {
    input: { ...input, text, asked: null },
    message: tokenize(text),
    tokenize,
    rest: text,
    commands: [],
    changing: false,
  };
  for (const fact of service.facts) readOwnFact(reading, fact);
  return reading.commands;
}

/** The offered option that was picked: by its number or words, or by a time that fits only one of the offered windows. */
async function pick({ text, asked, now, zone, known }: InterpretInput): Promise<number | undefined> {
  const options = asked!.options;
  const index = optionIn(
    text,
    options.map(({ label }) => label),
  );
  if (index !== undefined) return index;
  if (options.length === 1 && saysYes(text)) return 0;
  if (asked!.key !== 'when') return undefined;
  const windows = options.map(({ value }) => value as { from: string; to: string });
  const reading = await resolveWhen(text, { now, zone: (known['location']?.value as Location | undefined)?.zone ?? zone, expected: true });
  if (reading.kind !== 'window') return undefined;
  const { from, to } = reading.window;
  const fits = windows.flatMap((window, at) =>
    Date.parse(window.from) < Date.parse(to) && Date.parse(from) < Date.parse(window.to) ? [at] : [],
  );
  return fits.length === 1 ? fits[0] : undefined;
}

interface Reading {
  input: InterpretInput;
  message: Token[];
  tokenize: Tokenize;
  /** The text, less what has been read: the 2 of `2 bedrooms` is not a time. */
  rest: string;
  commands: PhraseCommand[];
  changing: boolean;
}

async function readFacts(input: InterpretInput, original: string): Promise<PhraseCommand[]> {
  const tokenize = await loadTokenizer();
  const changing = corrects(input.text) || input.asked?.key === 'change';
  const reading: Reading = { input, message: tokenize(input.text), tokenize, rest: input.text, commands: [], changing };
  const service = readService(reading);
  readNotes(reading, original);
  readLocation(reading);
  for (const fact of service?.facts ?? []) readOwnFact(reading, fact);
  readBudget(reading);
  await readWhen(reading);
  return reading.commands;
}

function say({ input: { known }, commands }: Reading, key: string, value: string): void {
  commands.push({ do: key in known ? 'correct_fact' : 'set_fact', key, value });
}

/** The service after this message. Once one is decided, naming another in passing does not change it. */
function readService(reading: Reading): ServiceSpec | undefined {
  const { input, message, tokenize, changing } = reading;
  const { catalogue, known, asked } = input;
  const vocabulary = vocabularyOf(catalogue, tokenize);
  const current = findService(catalogue, known['service']?.value);
  const open = !current || asked?.key === 'service' || changing || /\bi(?:'d| would)? ?(?:need|want|like)\b/i.test(input.text);
  const found = servicesIn(message, vocabulary);
  const meant = found.filter(({ match }) => !match.negated);
  const codes = new Set(meant.map(({ service }) => service.code));
  if (!open || (codes.size > 0 && codes.has(current?.code ?? ''))) return current;
  if (codes.size === 1) {
    say(reading, 'service', meant[0]!.service.code);
    return meant[0]!.service;
  }
  if (codes.size > 1) {
    // Handed on as it was said: binding it asks which of them is meant.
    say(reading, 'service', meant.map(({ service }) => service.name).join(', '));
    return undefined;
  }
  const category = categoryIn(message, vocabulary);
  if (category && category !== current?.category) {
    const own = servicesOf(catalogue).filter((service) => service.category === category);
    say(reading, 'service', own.length === 1 ? own[0]!.code : catalogue.categories.find(({ code }) => code === category)!.name);
    return own.length === 1 ? own[0] : undefined;
  }
  const refused = current !== undefined && found.some(({ service, match }) => match.negated && service.code === current.code);
  if (refused) reading.commands.push({ do: 'ask', key: 'service' });
  return current;
}

/** Only what is marked as a note is one; the rest of a message is read, not kept. */
function readNotes(reading: Reading, original: string): void {
  const { input: { asked } } = reading; // prettier-ignore
  const marked =
    /\b(?:notes?(?: for the provider)?\s*:|please note(?: that)?:?|please tell (?:them|him|her|the provider)(?: that)?)\s*(\S[\s\S]{0,900})$/i;
  const note = marked.exec(original)?.[1]?.trim() ?? (asked?.key === 'notes' && !leansNo(original) ? original : undefined);
  if (!note) return;
  say(reading, 'notes', note);
  reading.rest = asked?.key === 'notes' ? '' : reading.rest.replace(new RegExp(marked.source, 'i'), ' ');
}

function readLocation(reading: Reading): void {
  const { places, known, asked, text } = reading.input;
  const expected = asked?.key === 'location';
  const address = addressIn(reading.rest);
  const found = resolvePlace(reading.rest, places, { expected, known: known['location']?.value as Location | undefined });
  if (found.kind !== 'unknown') say(reading, 'location', reading.rest);
  else if (
    address ||
    (!('location' in known) &&
      /\b(?:in|near)\s+(?!the\b|my\b|a\b|an\b|our\b|about\b|front\b|need\b)(?:\p{Lu}[\p{L}'-]+)(?!\w)/u.test(text) &&
      !monthAfterIn.test(text))
  )
    say(reading, 'location', reading.rest);
  if (address) reading.rest = reading.rest.replace(address, ' ');
}

const monthAfterIn = /\bin (?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)/;

function readOwnFact(reading: Reading, fact: FactSpec): void {
  const { input: { known, asked, text }, message, tokenize, changing } = reading; // prettier-ignore
  const wasAsked = asked?.key === fact.key;
  // What is known stays, unless the person was asked or says that it changes.
  if (fact.key in known && !wasAsked && !changing) return;
  if (fact.kind === 'choice') {
    const choice = choiceIn(message, fact.choices ?? [], tokenize, wasAsked && !topicIn(text));
    if (choice) say(reading, fact.key, choice.code);
  } else if (fact.kind === 'integer') {
    const counted = countOf(reading.rest, fact.words ?? []);
    if (counted) {
      say(reading, fact.key, String(counted.count));
      reading.rest = reading.rest.toLowerCase().replace(counted.match, ' ');
    } else if (fact.zeroWords?.some((word) => findPhrase(message, tokenize(word)))) say(reading, fact.key, '0');
    else if (wasAsked) readBareNumber(reading, fact);
  } else if (fact.kind === 'flag') {
    const match = fact.words?.map((word) => findPhrase(message, tokenize(word))).find(Boolean);
    if (match) say(reading, fact.key, match.negated || /\bwithout\b/i.test(text) ? 'no' : 'yes');
    else if (wasAsked && (leansYes(text) || leansNo(text))) say(reading, fact.key, leansYes(text) ? 'yes' : 'no');
  }
}

/** `3`, `three please`, `-1`: the number alone answers a question about a number. */
function readBareNumber(reading: Reading, fact: FactSpec): void {
  const alone =
    /^\s*(?:about |around |just |only |maybe |it'?s |there (?:are|is) |there'?s |we have |i have |we are )?(-?\d{1,6}|[a-z]+)\s*(?:please|thanks|of (?:them|us)|total|altogether)?\s*[.!]?\s*$/i.exec(
      reading.rest,
    );
  const said = alone?.[1] ?? '';
  if (!/^-?\d+$/.test(said) && readInteger(said) === undefined) return;
  say(reading, fact.key, said);
  reading.rest = '';
}

function readBudget(reading: Reading): void {
  const found = readMoney(reading.rest, reading.input.asked?.key === 'budget');
  if (!found) return;
  say(reading, 'budget', reading.rest);
  reading.rest = reading.rest.toLowerCase().replace(/[–—]/g, '-').replace(found.match, ' ');
}

async function readWhen(reading: Reading): Promise<void> {
  const { input, rest } = reading;
  const expected = input.asked?.key === 'when';
  const found = await resolveWhen(rest, { now: input.now, zone: input.zone, expected });
  if (found.kind === 'unknown') return;
  // A past time that nobody asked for is part of the story (`it broke yesterday`), not a wish.
  if (found.kind === 'past' && !expected && !reading.changing && reading.commands.length > 0) return;
  // `thanks, that is all for today`
  if (!expected && /\b(?:today|now|the day)\b/i.test(rest) && ['thanks', 'goodbye'].includes(topicIn(input.text) ?? '')) return;
  say(reading, 'when', rest);
}

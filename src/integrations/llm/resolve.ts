import {
  factOf,
  factsOf,
  findService,
  type FactSpec,
  type Location,
  type ServiceSpec,
  type TimeWindow,
} from '../../domain/intake/catalogue.ts';
import type { Option, Proposal } from '../../domain/intake/decide.ts';
import { readInteger, readMoney } from './offline/amount.ts';
import { leansNo, leansYes, optionIn, saysCancel, saysYes, topicIn } from './offline/intents.ts';
import type { InterpretInput, PhraseCommand } from './interpreter.ts';
import { resolvePlace, servedPlaces } from './offline/place.ts';
import { categoryIn, choiceIn, loadTokenizer, servicesIn, vocabularyOf } from './offline/vocabulary.ts';
import { resolveWhen } from './offline/when.ts';
import { moveToZone } from './window.ts';

/** A time said before its place is known is a guess about the zone. */
const ASSUMED_ZONE = 0.6;

type FactCommand = PhraseCommand & { key: string; value: string };
const isFact = (command: PhraseCommand): command is FactCommand =>
  (command.do === 'set_fact' || command.do === 'correct_fact') && Boolean(command.key) && command.value !== undefined;

/** Order in which phrases are bound: the service decides which facts exist, the place decides the zone of the time. */
const rank = ({ key }: PhraseCommand) => (key === 'service' ? 0 : key === 'location' ? 1 : key === 'when' ? 3 : 2);

/**
 * Binds phrases to values by code alone: codes from the catalogue, instants from the calendar, coordinates from the gazetteer.
 * This is the only way into `Proposal`, for the model as for the offline reading.
 */
export async function resolveCommands(commands: readonly PhraseCommand[], input: InterpretInput): Promise<Proposal[]> {
  const proposals: Proposal[] = [];
  for (const command of commands) if (!isFact(command)) proposals.push(...bindIntent(command, input));
  let service = findService(input.catalogue, input.known['service']?.value);
  let location = input.known['location']?.value as Location | undefined;
  const chosen = proposals.find((proposal) => proposal.do === 'accept_suggestion');
  const offered = chosen?.do === 'accept_suggestion' ? input.asked?.options[chosen.option]?.value : undefined;
  if (offered !== undefined && input.asked?.key === 'location') location = offered as Location;
  if (offered !== undefined && input.asked?.key === 'service') service = findService(input.catalogue, offered);
  const facts = [...commands].filter(isFact).sort((a, b) => rank(a) - rank(b));
  for (const command of facts) {
    const bound = await bindFact(command, { input, service, location });
    proposals.push(bound);
    if (bound.do !== 'set_fact' && bound.do !== 'correct_fact') continue;
    if (bound.key === 'service') service = findService(input.catalogue, bound.value);
    if (bound.key === 'location') location = bound.value as Location;
  }
  return [...proposals, ...followZone(proposals, input, location)];
}

interface Binding {
  input: InterpretInput;
  service: ServiceSpec | undefined;
  location: Location | undefined;
}

function bindIntent({ do: what, key, value }: PhraseCommand, { text, asked, catalogue, known }: InterpretInput): Proposal[] {
  switch (what) {
    case 'confirm_draft':
      // A yes is what the person wrote, not what a model believes.
      return saysYes(text) ? [{ do: 'confirm_draft' }] : [];
    case 'cancel':
      return [{ do: 'cancel', explicit: saysCancel(text) || (asked?.key === 'cancel' && saysYes(text)) }];
    case 'hand_off':
      return [{ do: 'hand_off' }];
    case 'small_talk':
      return [{ do: 'small_talk', topic: topicIn(text) ?? (leansNo(text) ? 'no' : 'other') }];
    case 'accept_suggestion': {
      const option =
        optionIn(value ?? '', asked?.options.map(({ label }) => label) ?? []) ??
        optionIn(text, asked?.options.map(({ label }) => label) ?? []);
      return option === undefined ? [] : [{ do: 'accept_suggestion', option }];
    }
    case 'ask': {
      const service = findService(catalogue, known['service']?.value);
      return key && factsOf(service).some((fact) => fact.key === key)
        ? [{ do: 'ask', key, reason: key in known ? 'wanted_change' : 'ambiguous' }]
        : [];
    }
    default:
      return [];
  }
}

async function bindFact({ do: what, key, value }: FactCommand, binding: Binding): Promise<Proposal> {
  const fact = factOf(binding.service, key);
  const set = (bound: unknown, confidence = 1): Proposal => ({
    do: what === 'correct_fact' ? 'correct_fact' : 'set_fact',
    key,
    value: bound,
    confidence,
  });
  const ask = (reason: Extract<Proposal, { do: 'ask' }>['reason'], options?: readonly Option[]): Proposal => ({
    do: 'ask',
    key,
    reason,
    ...(options ? { options } : {}),
  });
  // Unknown keys go on as they are: the rules refuse them and say why.
  if (!fact) return set(value);
  switch (fact.kind) {
    case 'service':
      return bindService(value, binding, set, ask);
    case 'window':
      return bindWhen(value, binding, set, ask);
    case 'place': {
      const known = binding.location;
      const reading = resolvePlace(value, binding.input.places, { expected: true, known });
      if (reading.kind === 'place') return set(reading.location);
      return reading.kind === 'ambiguous' ? ask('ambiguous', reading.options) : ask('unknown_place', servedPlaces(binding.input.places));
    }
    case 'money': {
      const reading = readMoney(value, true);
      if (!reading) return ask('not_understood');
      return reading.kind === 'money' ? set(reading.money) : ask('unsupported');
    }
    default: {
      const bound = await bindOwn(fact, value);
      return bound === undefined ? ask('not_understood') : set(bound);
    }
  }
}

type Set = (value: unknown, confidence?: number) => Proposal;
type Ask = (reason: Extract<Proposal, { do: 'ask' }>['reason'], options?: readonly Option[]) => Proposal;

async function bindService(value: string, { input: { catalogue } }: Binding, set: Set, ask: Ask): Promise<Proposal> {
  if (findService(catalogue, value)) return set(value);
  const tokenize = await loadTokenizer();
  const vocabulary = vocabularyOf(catalogue, tokenize);
  const found = servicesIn(tokenize(value), vocabulary).filter(({ match }) => !match.negated);
  if (found.length === 1) return set(found[0]!.service.code, found[0]!.match.exact ? 1 : 0.7);
  if (found.length > 1) return ask('ambiguous', serviceOptions(found.map(({ service }) => service)));
  const category = categoryIn(tokenize(value), vocabulary);
  const own = catalogue.categories.find(({ code }) => code === category)?.services ?? [];
  if (own.length === 1) return set(own[0]!.code);
  return own.length > 1 ? ask('ambiguous', serviceOptions(own)) : ask('unsupported');
}

const serviceOptions = (services: readonly ServiceSpec[]): Option[] => services.map(({ code, name }) => ({ label: name, value: code }));

async function bindWhen(value: string, { input, location }: Binding, set: Set, ask: Ask): Promise<Proposal> {
  const known = input.known['when']?.value as TimeWindow | undefined;
  const zone = location?.zone ?? input.zone;
  const reading = await resolveWhen(value, {
    now: input.now,
    zone,
    expected: input.asked?.key === 'when',
    ...(known ? { previous: known } : {}),
  });
  switch (reading.kind) {
    case 'window':
      return set(reading.window, location ? 1 : ASSUMED_ZONE);
    case 'ambiguous':
      return ask(reading.reason, reading.options);
    case 'past':
      return ask('past');
    case 'unknown':
      return ask('not_understood');
  }
}

/** A choice, a count, a yes or no, or a text. */
async function bindOwn(fact: FactSpec, value: string): Promise<unknown> {
  const said = value.trim();
  if (fact.kind === 'text') return said.slice(0, fact.max ?? 1000);
  if (fact.kind === 'flag')
    return /^(?:true|yes)$/i.test(said) || leansYes(said) ? true : /^(?:false|no)$/i.test(said) || leansNo(said) ? false : undefined;
  const tokenize = await loadTokenizer();
  if (fact.kind === 'choice')
    return (
      fact.choices?.find(({ code }) => code === said.toLowerCase())?.code ??
      choiceIn(tokenize(said), fact.choices ?? [], tokenize, true)?.code
    );
  // A minus sign stays, so that the rules can refuse it.
  if (/^-\s?\d+$/.test(said)) return Number(said.replaceAll(' ', ''));
  return readInteger(said) ?? (fact.zeroWords?.some((word) => said.toLowerCase().includes(word)) ? 0 : undefined);
}

/** When the place is learnt or moved after the time, the time follows: `at 3` meant 3 o'clock there. What began `now` stays. */
function followZone(proposals: readonly Proposal[], { known }: InterpretInput, location: Location | undefined): Proposal[] {
  const window = known['when']?.value as TimeWindow | undefined;
  const anew = proposals.some((proposal) => 'key' in proposal && proposal.key === 'when');
  const before = (known['location']?.value as Location | undefined)?.zone;
  if (!window || !location || anew || location.zone === before || window.zone === location.zone) return [];
  const value = new Date(window.from).getUTCMinutes() % 15 === 0 ? moveToZone(window, location.zone) : { ...window, zone: location.zone };
  return [{ do: 'correct_fact', key: 'when', value }];
}

import { factOf, factsOf, findService, type Location, type TimeWindow } from '../../domain/intake/catalogue.ts';
import type { Proposal } from '../../domain/intake/decide.ts';
import { readingOf } from './kind/index.ts';
import type { Binding, Bound } from './kind/reading.ts';
import type { InterpretInput, PhraseCommand } from './interpreter.ts';
import { leansNo, optionIn, saysCancel, saysYes, topicIn } from './offline/intents.ts';
import { moveToZone } from './window.ts';

type FactCommand = PhraseCommand & { key: string; value: string };
const isFact = (command: PhraseCommand): command is FactCommand =>
  (command.do === 'set_fact' || command.do === 'correct_fact') && Boolean(command.key) && command.value !== undefined;

/** Phrases are bound in this order: the service decides which facts exist, and the place decides the zone of the time. */
const rank = ({ key }: PhraseCommand) => (key === 'service' ? 0 : key === 'location' ? 1 : key === 'when' ? 3 : 2);

/**
 * Binds phrases to values by code alone: codes from the catalogue, instants from the calendar, coordinates from the gazetteer.
 * No other code makes a `Proposal` from a message: the model and the offline interpreter both use this function.
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

function bindIntent({ do: what, key, value }: PhraseCommand, { text, asked, catalogue, known }: InterpretInput): Proposal[] {
  switch (what) {
    case 'confirm_draft':
      // Only the person's own words count as a yes. A model's opinion is not enough.
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

async function bindFact({ do: what, key, value }: FactCommand, around: Omit<Binding, 'fact'>): Promise<Proposal> {
  const fact = factOf(around.service, key);
  // An unknown key is passed on unchanged: the rules refuse the key and give the reason.
  const bound: Bound = fact ? await readingOf(fact.kind).bind(value, { ...around, fact }) : { value };
  if ('ask' in bound) return { do: 'ask', key, reason: bound.ask, ...(bound.options ? { options: bound.options } : {}) };
  return { do: what === 'correct_fact' ? 'correct_fact' : 'set_fact', key, value: bound.value, confidence: bound.confidence ?? 1 };
}

/**
 * Moves a known time into the zone of a place that the person names or changes later: `at 3` meant 3 o'clock there. A window that
 * began `now` keeps its instants. Such a window begins at an arbitrary minute, all others on a quarter of an hour.
 */
function followZone(proposals: readonly Proposal[], { known }: InterpretInput, location: Location | undefined): Proposal[] {
  const window = known['when']?.value as TimeWindow | undefined;
  const anew = proposals.some((proposal) => 'key' in proposal && proposal.key === 'when');
  const before = (known['location']?.value as Location | undefined)?.zone;
  if (!window || !location || anew || location.zone === before || window.zone === location.zone) return [];
  const value = new Date(window.from).getUTCMinutes() % 15 === 0 ? moveToZone(window, location.zone) : { ...window, zone: location.zone };
  return [{ do: 'correct_fact', key: 'when', value }];
}

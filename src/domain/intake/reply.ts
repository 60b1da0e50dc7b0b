import { factOf, findService, type Catalogue, type FactSpec, type Location, type ServiceSpec, type TimeWindow } from './catalogue.ts';
import type { Advance, Draft, Option, RejectedFact, Step, Topic } from './decide.ts';
import { formatMoney, type Money } from '../money.ts';

export interface ReplyInput {
  catalogue: Catalogue;
  turn: Advance;
  /** A window in the words of its zone; an argument, because domain code has no calendar. */
  formatWindow: (window: TimeWindow) => string;
  /** The interpreter's own sentence, already checked; the template speaks when there is none. */
  ack?: string;
}

/** What the assistant says: what was understood, then at most one question or the draft. */
export function replyTo(input: ReplyInput): string {
  const { catalogue, turn } = input;
  const service = findService(catalogue, turn.service);
  const parts = [acknowledge(input, service), ...turn.rejected.map((one) => refusal(one, service)), stepText(input, service)];
  return parts.filter(Boolean).join(' ').trim();
}

function acknowledge({ ack, turn: { accepted, step }, formatWindow, catalogue }: ReplyInput, service: ServiceSpec | undefined): string {
  if (step.do === 'submit' || step.do === 'cancel' || step.do === 'hand_off') return '';
  if (accepted.length === 0) return '';
  if (ack) return ack;
  const changed = accepted.some(({ corrects }) => corrects);
  const said = accepted.flatMap(({ key, value }) => {
    const fact = factOf(service, key);
    return fact ? [shortText(fact, value, catalogue, formatWindow)] : [];
  });
  return said.length === 0 ? '' : `${changed ? 'Changed' : 'Got it'}: ${said.join(' · ')}.`;
}

/** A value in the middle of a sentence: bare where it speaks for itself, with its label where it does not. */
function shortText(fact: FactSpec, value: unknown, catalogue: Catalogue, formatWindow: ReplyInput['formatWindow']): string {
  const text = valueText(fact, value, catalogue, formatWindow);
  if (fact.kind === 'money') return `up to ${text}`;
  if (fact.kind === 'text') return 'your note';
  return fact.kind === 'service' || fact.kind === 'window' || fact.kind === 'place'
    ? text
    : `${fact.label.toLowerCase()}: ${text.toLowerCase()}`;
}

/** A fact's value as people write it. */
export function valueText(fact: FactSpec, value: unknown, catalogue: Catalogue, formatWindow: ReplyInput['formatWindow']): string {
  switch (fact.kind) {
    case 'service':
      return findService(catalogue, value)?.name ?? String(value);
    case 'choice':
      return fact.choices?.find(({ code }) => code === value)?.label ?? String(value);
    case 'flag':
      return value === true ? 'Yes' : 'No';
    case 'window':
      return formatWindow(value as TimeWindow);
    case 'place': {
      const { place, address } = value as Location;
      return address ? `${address}, ${place}` : place;
    }
    case 'money':
      return price(value as Money);
    default:
      return String(value);
  }
}

/** `$60`, `$60.50`; other currencies as amount and code. */
const price = (money: Money) =>
  money.currency === 'USD' ? `$${formatMoney(money).replace(' USD', '').replace(/\.00$/, '')}` : formatMoney(money);

function refusal({ key, reason, message }: RejectedFact, service: ServiceSpec | undefined): string {
  const fact = factOf(service, key);
  if (!fact || reason === 'unknown_fact' || reason === 'not_of_this_service') return '';
  if (reason === 'past') return 'That time has already passed.';
  return `${fact.label} ${message}.`;
}

function stepText(input: ReplyInput, service: ServiceSpec | undefined): string {
  const { catalogue, turn, formatWindow } = input;
  const { step } = turn;
  switch (step.do) {
    case 'ask':
      return question(step, input, service);
    case 'clarify':
      return clarification(step, input, service);
    case 'confirm':
      return `${draftText(catalogue, step.draft, formatWindow)}\nShall I send this to providers?`;
    case 'submit':
      return 'Sent. I am asking suitable providers now and will tell you as soon as offers come in.';
    case 'cancel':
      return 'Your request is cancelled; nothing was sent to anybody.';
    case 'hand_off':
      return 'I am passing this on to a person from our team. Everything you told me stays here.';
    case 'chat':
      return `${answerTo(step.topic, catalogue, service)} ${stepText({ ...input, turn: { ...turn, step: step.pending } }, service)}`;
  }
}

function question(
  { key, options }: { key: string; options: readonly Option[] },
  { turn }: ReplyInput,
  service: ServiceSpec | undefined,
): string {
  const fact = factOf(service, key);
  const hint = (turn.asked?.times ?? 0) >= 3 ? ' You can also say "talk to a person".' : '';
  if (!fact) return '';
  const listed = fact.kind === 'choice' && options.length > 0 ? ` ${choices(options)}` : '';
  return `${fact.question}${listed}${hint}`;
}

const choices = (options: readonly Option[]) => `(${options.map(({ label }) => label).join(' / ')})`;

function clarification(
  { key, reason, options }: Extract<Step, { do: 'clarify' }>,
  input: ReplyInput,
  service: ServiceSpec | undefined,
): string {
  if (key === 'change') return 'What should I change?';
  if (key === 'cancel') return 'Do you want to cancel this request? Please answer yes or no.';
  const asked = question({ key, options }, input, service);
  const list = options.map(({ label }) => label).join(' / ');
  switch (reason) {
    case 'ambiguous':
      return list ? `Which one do you mean: ${list}?` : asked;
    case 'no_such_time':
      return `The clocks change at that time, so it does not exist. Which one do you mean: ${list}?`;
    case 'past':
      return input.turn.rejected.some((one) => one.reason === 'past') ? asked : `That time has already passed. ${asked}`;
    case 'unknown_place':
      return `I do not know that place.${list ? ` I know for example ${list.replaceAll(' / ', '; ')}.` : ''} ${asked}`;
    case 'unsupported':
      return key === 'service' ? `We do not offer that yet. Which of these do you need: ${list}?` : `Prices are in US dollars. ${asked}`;
    case 'not_understood':
      return input.turn.rejected.some((one) => one.key === key) ? asked : `I did not get that. ${asked}`;
    case 'wanted_change':
      return asked;
  }
}

function answerTo(topic: Topic, catalogue: Catalogue, service: ServiceSpec | undefined): string {
  switch (topic) {
    case 'greeting':
      return 'Hello!';
    case 'thanks':
      return 'You are welcome!';
    case 'goodbye':
      return 'See you; this conversation stays here.';
    case 'price':
      return service
        ? `${service.name} costs ${span(service)}; every provider makes their own offer.`
        : 'It depends on the service; every provider makes their own offer.';
    case 'duration':
      return service ? `${service.name} usually takes about ${service.durationMinutes.usual} minutes.` : 'It depends on the service.';
    case 'services':
      return `I can help with ${catalogue.categories.map((category) => `${category.name} (${category.services.map(({ name }) => name.toLowerCase()).join(', ')})`).join('; ')}.`;
    case 'process':
      return 'You tell me what you need, I ask suitable providers, and you choose among their offers. Nothing is sent before you say yes.';
    case 'no':
    case 'other':
      return '';
  }
}

const span = ({ priceCents: { min, max }, currency }: ServiceSpec) =>
  `${price({ amount: min, currency })} to ${price({ amount: max, currency })}`;

/** The draft, one line per fact: exactly what a yes agrees to. */
export function draftText(catalogue: Catalogue, draft: Draft, formatWindow: ReplyInput['formatWindow']): string {
  const service = findService(catalogue, draft.service);
  const values: Record<string, unknown> = {
    ...draft.details,
    location: draft.location,
    when: draft.when,
    budget: draft.budget,
    notes: draft.notes,
  };
  const lines = Object.keys(values)
    .filter((key) => values[key] !== null && values[key] !== undefined)
    .flatMap((key) => {
      const fact = factOf(service, key);
      return fact ? [`- ${fact.label}: ${valueText(fact, values[key], catalogue, formatWindow)}`] : [];
    });
  return [`Here is your request: ${service?.name ?? draft.service}`, ...lines].join('\n');
}

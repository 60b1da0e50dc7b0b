import { factOf, findService, type Catalogue, type FactSpec, type ServiceSpec } from './catalogue.ts';
import type { Advance, Draft, Option, RejectedFact, Step, Topic } from './decide.ts';
import { kindOf, type FormatWindow } from './fact-kind.ts';
import { contextOf } from './facts.ts';
import { formatPrice } from '../money.ts';

export interface ReplyInput {
  catalogue: Catalogue;
  turn: Advance;
  formatWindow: FormatWindow;
  /** The interpreter's own acknowledgement, already checked. Without one, the reply uses a template. */
  ack?: string;
}

/** Writes the assistant's reply: an acknowledgement, the refused facts, then at most one question or the draft. */
export function replyTo(input: ReplyInput): string {
  const { catalogue, turn } = input;
  const service = findService(catalogue, turn.service);
  const parts = [acknowledge(input, service), ...turn.rejected.map((one) => refusal(one, service)), stepText(input, service)];
  return parts.filter(Boolean).join(' ').trim();
}

type Saying = Pick<ReplyInput, 'catalogue' | 'formatWindow'>;

function acknowledge(input: ReplyInput, service: ServiceSpec | undefined): string {
  const { ack, turn: { accepted, step } } = input; // prettier-ignore
  if (step.do === 'submit' || step.do === 'cancel' || step.do === 'hand_off') return '';
  if (accepted.length === 0) return '';
  if (ack) return ack;
  const changed = accepted.some(({ corrects }) => corrects);
  const said = accepted.flatMap(({ key, value }) => {
    const fact = factOf(service, key);
    return fact ? [kindOf(fact.kind).short(valueText(fact, value, input, service), fact)] : [];
  });
  return said.length === 0 ? '' : `${changed ? 'Changed' : 'Got it'}: ${said.join(' · ')}.`;
}

/** The value of a fact as people write it. */
function valueText(fact: FactSpec, value: unknown, { catalogue, formatWindow }: Saying, service: ServiceSpec | undefined): string {
  return kindOf(fact.kind).text(value, contextOf(catalogue, service, fact), formatWindow);
}

function refusal({ key, reason, message }: RejectedFact, service: ServiceSpec | undefined): string {
  const fact = factOf(service, key);
  if (!fact || reason === 'unknown_fact' || reason === 'not_of_this_service') return '';
  if (reason === 'past') return 'That time has already passed.';
  return `${fact.label} ${message}.`;
}

function stepText(input: ReplyInput, service: ServiceSpec | undefined): string {
  const { catalogue, turn } = input;
  const { step } = turn;
  switch (step.do) {
    case 'ask':
      return question(step, input, service);
    case 'clarify':
      return clarification(step, input, service);
    case 'confirm':
      return `${draftText(step.draft, input)}\nShall I send this to providers?`;
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
  const listed = kindOf(fact.kind).asksWithOptions && options.length > 0 ? ` ${choices(options)}` : '';
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
      return unsupported(key, service)?.(asked, list) ?? asked;
    case 'not_understood':
      return input.turn.rejected.some((one) => one.key === key) ? asked : `I did not get that. ${asked}`;
    case 'wanted_change':
      return asked;
  }
}

function unsupported(key: string, service: ServiceSpec | undefined) {
  const fact = factOf(service, key);
  return fact && kindOf(fact.kind).unsupported;
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
  `${formatPrice({ amount: min, currency })} to ${formatPrice({ amount: max, currency })}`;

/** The draft with one line per fact. The person's yes agrees to exactly this text. */
function draftText(draft: Draft, input: Saying): string {
  const { catalogue } = input;
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
      return fact ? [`- ${fact.label}: ${valueText(fact, values[key], input, service)}`] : [];
    });
  return [`Here is your request: ${service?.name ?? draft.service}`, ...lines].join('\n');
}

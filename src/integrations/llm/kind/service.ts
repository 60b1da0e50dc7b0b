import { findService, servicesOf, type ServiceSpec } from '../../../domain/intake/catalogue.ts';
import type { Option } from '../../../domain/intake/decide.ts';
import { categoryIn, loadTokenizer, servicesIn, vocabularyOf } from '../offline/vocabulary.ts';
import { say, type Binding, type Bound, type KindReading, type Message } from './reading.ts';

export const service: KindReading = {
  prompt: 'service: a code below.',
  brief: (value) => value,
  find: (message) => {
    message.service = serviceAfter(message);
  },
  bind,
};

/** The service after this message. A decided service does not change when the person only mentions another service. */
function serviceAfter(message: Message): ServiceSpec | undefined {
  const { input, tokens, tokenize, changing } = message;
  const { catalogue, known, asked } = input;
  const vocabulary = vocabularyOf(catalogue, tokenize);
  const current = findService(catalogue, known['service']?.value);
  const open = !current || asked?.key === 'service' || changing || /\bi(?:'d| would)? ?(?:need|want|like)\b/i.test(input.text);
  const found = servicesIn(tokens, vocabulary);
  const meant = found.filter(({ match }) => !match.negated);
  const codes = new Set(meant.map(({ service: named }) => named.code));
  if (!open || (codes.size > 0 && codes.has(current?.code ?? ''))) return current;
  if (codes.size === 1) {
    say(message, 'service', meant[0]!.service.code);
    return meant[0]!.service;
  }
  if (codes.size > 1) {
    // All names are passed on: `bind` then asks which service is meant.
    say(message, 'service', meant.map(({ service: named }) => named.name).join(', '));
    return undefined;
  }
  const category = categoryIn(tokens, vocabulary);
  if (category && category !== current?.category) {
    const own = servicesOf(catalogue).filter((one) => one.category === category);
    say(message, 'service', own.length === 1 ? own[0]!.code : catalogue.categories.find(({ code }) => code === category)!.name);
    return own.length === 1 ? own[0] : undefined;
  }
  const refused = current !== undefined && found.some(({ service: named, match }) => match.negated && named.code === current.code);
  if (refused) message.commands.push({ do: 'ask', key: 'service' });
  return current;
}

async function bind(phrase: string, { input: { catalogue } }: Binding): Promise<Bound> {
  if (findService(catalogue, phrase)) return { value: phrase };
  const tokenize = await loadTokenizer();
  const vocabulary = vocabularyOf(catalogue, tokenize);
  const found = servicesIn(tokenize(phrase), vocabulary).filter(({ match }) => !match.negated);
  if (found.length === 1) return { value: found[0]!.service.code, confidence: found[0]!.match.exact ? 1 : 0.7 };
  if (found.length > 1) return { ask: 'ambiguous', options: optionsOf(found.map((one) => one.service)) };
  const category = categoryIn(tokenize(phrase), vocabulary);
  const own = catalogue.categories.find(({ code }) => code === category)?.services ?? [];
  if (own.length === 1) return { value: own[0]!.code };
  return own.length > 1 ? { ask: 'ambiguous', options: optionsOf(own) } : { ask: 'unsupported' };
}

const optionsOf = (services: readonly ServiceSpec[]): Option[] => services.map(({ code, name }) => ({ label: name, value: code }));

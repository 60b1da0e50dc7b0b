import type { Topic } from '../../../domain/intake/decide.ts';

const clean = (text: string) =>
  text
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[’‘]/g, "'")
    .replace(/[^\p{L}\p{N}'?]+/gu, ' ')
    .trim();

const fine = '(?:good|great|right|correct|perfect|fine|ok|okay|ideal|nice|wonderful|excellent|awesome|alright|exactly it)';
const yesWord = `(?:${[
  'yes|yep|yeah|yea|yup|sure|ok|okay|okey|alright|absolutely|definitely|certainly|exactly|indeed|agreed|all good|go ahead|go for it|do it|please do|book it',
  `(?:sounds |looks |works |seems )?${fine}`,
  "confirm(?:ed)?|send(?: it| them| this)?(?: out| off)?|submit(?: it)?|please send(?: it| this)?|let'?s (?:do it|go)",
  // `that works`, `this would be perfect`, `it all looks good`
  `(?:that|this|it|everything|all)(?: all| time)?(?:'s|'ll|'d| is| would| will| should)?(?: also)? (?:(?:be |sounds? |looks? |seems? |is )?(?:just |really |very |also |absolutely |all )?${fine}|works?|do|suits?)(?: (?:well|fine|great|perfectly|better|nicely|too))*`,
  "i(?:'d| would)? (?:like|love) (?:that|it|this|to do (?:that|it|this))",
].join('|')})`;
const polite =
  '(?:please|thanks|thank you|very much|so much|that|it|me|for me|with me|by me|to me|as well|to (?:them|providers|the providers)|now|then|and|i (?:do|would|am|confirm)|everything|with (?:that|it)|works for me)';
const wholeYes = new RegExp(`^${yesWord}(?: (?:${yesWord}|${polite}))*$`);
/** Words that change, delay or question. A text with such a word is no explicit yes. */
const hedge =
  /\b(?:but|however|except|instead|wait|actually|not|n't|don'?t|no|nope|never|maybe|perhaps|guess|later|change|unless|hold|almost|if|why|what|how|cancel)\b|\?/;

/** Whether the text is an explicit yes and nothing else. Only these words prove a yes: a model's opinion is not enough. */
export const saysYes = (text: string): boolean => {
  const said = clean(text);
  return wholeYes.test(said) && !hedge.test(said);
};

const startsYes = new RegExp(`^${yesWord}\\b`);
/** Whether the text begins with a yes. That answers `are there pets?`, but is not enough to send a draft. */
export const leansYes = (text: string): boolean => startsYes.test(clean(text)) && !/^(?:yes|ok|okay|right)? ?\?/.test(clean(text));
/** Whether the text begins with a no or denies something (`I don't have`). */
export const leansNo = (text: string): boolean =>
  /^(?:no|nope|nah|not|none|never|n)\b(?! (?:problem|worries))|\bi don'?t (?:think so|have|want|need)\b|\bthere (?:are|is) no(?:ne|t)?\b/.test(
    clean(text),
  );

const cancelWords =
  /^(?:please |can you |could you |i want to |i'?d like to |no |ok |just |let'?s )*(?:cancel|abort|quit|stop|forget (?:it|about it|this|the whole thing)|never ?mind|scrap (?:it|that)|drop it|call it off)(?: (?:it|this|that|everything|all|the|my|whole|request|order|thing|please|thanks|now|for now|thank you))*$|\bi (?:don'?t|do not) (?:need|want) (?:(?:it|this|that|a provider) (?:any ?more|any longer)|anything)$|\bcancel (?:my|the|this|that) (?:whole )?(?:request|order|thing|conversation|inquiry)\b|\bno longer (?:need|want|interested)\b/;
/** Whether the person's own words ask to cancel. */
export const saysCancel = (text: string): boolean => {
  const said = clean(text);
  return cancelWords.test(said) && !/\b(?:don'?t|do not|not) (?:cancel|stop)|cancellation/.test(said);
};

const handOffWords =
  /\b(?:(?:talk|speak|chat|connect me|put me through|transfer me|escalate)(?: me)?(?: to| with)? (?:an? |the |some)?(?:real |live |actual )?(?:human|person|agent|operator|somebody|someone|representative|rep|support|staff|manager|body|one)|real (?:person|human)|human (?:please|agent|being|support)|customer (?:service|support)|i want a human|not a (?:bot|robot)|live agent)\b|^(?:human|agent|operator|support|representative)[ ?]*(?:please)?$/;
/** Whether the text asks for a human. A wish for a service that is a person (`a photographer`) does not count. */
export const asksForPerson = (text: string): boolean => handOffWords.test(clean(text));

/** Patterns of the topics. The first match counts. */
const topicsInOrder: readonly [Topic, RegExp][] = [
  [
    'price',
    /\bhow (?:much|expensive)\b|\bwhat (?:does|do|would|will) (?:it|this|that|a|an|the) ?\w*(?: \w+)? ?costs?\b|\b(?:price|prices|cost|costs|rates?|pricing)\b.*\?|\bwhat(?:'s| is| are) (?:the|your) (?:price|prices|cost|rate|rates)\b/,
  ],
  ['duration', /\bhow long (?:does|do|will|would|is it going to|it)\b/],
  [
    'services',
    /\bwhat (?:else )?(?:can|do) you (?:do|offer|have|help)|\b(?:what|which) (?:\w+ )?services\b|\bwhat kind of (?:services|help|things)\b|\bwhat do you offer\b/,
  ],
  [
    'process',
    /\bhow (?:does|do) (?:it|this|that|you) work\b|\bwhat happens (?:next|now|then|after)\b|\bwho (?:are you|will come|is coming)\b|\bare you (?:a |an )?(?:bot|robot|human|ai)\b|\bis (?:it|this) free\b|\bwhat are you\b/,
  ],
  ['thanks', /^(?:\w+ )?(?:thanks|thank you|thx|ty|much appreciated|cheers|appreciate it)\b/],
  [
    'goodbye',
    /^(?:(?:ok |okay )?(?:bye|goodbye|good bye|see you|see ya|good night|later|take care))\b|\bthat(?:'s| is| will be| was|'ll be) (?:all|it|everything)\b/,
  ],
  ['greeting', /^(?:hi|hello|hey|hiya|good (?:morning|afternoon|evening|day)|greetings|howdy|yo)\b/],
];

/** The topic of small talk in a text; undefined when the text has none. */
export const topicIn = (text: string): Topic | undefined => topicsInOrder.find(([, pattern]) => pattern.test(clean(text)))?.[0];

/** Whether the text announces a change of an earlier statement. */
export const corrects = (text: string): boolean =>
  /\b(?:actually|instead|rather|i meant?|i mean|change|changed|correction|sorry|no wait|wait|not|n't|make (?:it|that)|switch|move it|wrong|mistake|on second thought|should be|update|prefer)\b|^no\b/.test(
    clean(text),
  );

const changeTargets: readonly [string, RegExp][] = [
  ['when', /\b(?:time|date|day|when|hour)\b/],
  ['location', /\b(?:place|location|address|city|where|area)\b/],
  ['budget', /\b(?:budget|price|amount|money)\b/],
  ['service', /\b(?:service|job|kind of work)\b/],
  ['notes', /\bnotes?\b/],
];

/** The key of the fact that the person wants to change without giving a new value: `the time is wrong`, `change the place`. */
export const wantsChangeOf = (text: string): string | undefined => {
  const said = clean(text);
  return /\b(?:change|wrong|different|edit|another|other|not right|fix|update|correct)\b/.test(said) || said.split(' ').length <= 3
    ? changeTargets.find(([, pattern]) => pattern.test(said))?.[0]
    : undefined;
};

const ordinals: Record<string, number> = {
  first: 0,
  '1st': 0,
  one: 0,
  second: 1,
  '2nd': 1,
  two: 1,
  third: 2,
  '3rd': 2,
  three: 2,
  fourth: 3,
  '4th': 3,
  four: 3,
  fifth: 4,
  sixth: 5,
  former: 0,
  latter: 1,
};

/** The index of the option that an answer picks: by number, by position, or by words that only one label has. */
export function optionIn(text: string, labels: readonly string[]): number | undefined {
  const said = clean(text).replaceAll('?', '');
  const exact = labels.findIndex((label) => clean(label) === said);
  if (exact >= 0) return exact;
  const position =
    /^(?:option |number |no |the |i(?:'ll)? (?:take|want|choose|prefer) (?:the )?)*(\d{1,2}|first|second|third|fourth|fifth|sixth|last|former|latter|1st|2nd|3rd|4th|one|two|three|four)(?: one| option| choice)?(?: please| thanks)?$/.exec(
      said,
    )?.[1];
  if (position !== undefined) {
    const index = position === 'last' ? labels.length - 1 : (ordinals[position] ?? Number(position) - 1);
    if (index >= 0 && index < labels.length) return index;
  }
  const fill = new Set([
    'the',
    'one',
    'please',
    'yes',
    'i',
    'mean',
    'meant',
    'on',
    'at',
    'in',
    'a',
    'an',
    'it',
    "it's",
    'is',
    'that',
    'thanks',
    'would',
    'be',
    'like',
    'want',
    'need',
    'my',
    'for',
    "i'd",
    'best',
    'ok',
    'works',
    'better',
    'good',
  ]);
  const words = said.split(' ').filter((word) => word && !fill.has(word));
  if (words.length === 0) return undefined;
  const fits = labels.flatMap((label, index) => (words.every((word) => clean(label).split(' ').includes(word)) ? [index] : []));
  return fits.length === 1 ? fits[0] : undefined;
}

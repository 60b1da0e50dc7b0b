import { describe, expect, it } from '@jest/globals';
import { seedCatalogue as catalogue } from '../../src/domain/intake/catalogue-seed.ts';
import { advance, type Asked, type KnownFacts, type Proposal } from '../../src/domain/intake/decide.ts';
import { replyTo } from '../../src/domain/intake/reply.ts';
import { createInterpreter } from '../../src/integrations/llm/create.ts';
import type { InterpretInput } from '../../src/integrations/llm/interpreter.ts';
import { createMask } from '../../src/integrations/llm/mask.ts';
import { createOfflineInterpreter } from '../../src/integrations/llm/offline/interpreter.ts';
import { formatWindow } from '../../src/integrations/llm/window.ts';

const now = '2026-11-18T15:00:00Z'; // Wednesday, 10:00 in New York
const places = [
  { name: 'Springfield, IL', aliases: ['Springfield'], lat: 39.8, lon: -89.6, zone: 'America/Chicago' },
  { name: 'Springfield, MA', aliases: ['Springfield'], lat: 42.1, lon: -72.6, zone: 'America/New_York' },
  { name: 'New York', aliases: ['NYC', 'Manhattan'], lat: 40.7, lon: -74, zone: 'America/New_York' },
  { name: 'Los Angeles', aliases: ['LA'], lat: 34, lon: -118.2, zone: 'America/Los_Angeles' },
  { name: 'Brooklyn', aliases: [], lat: 40.6, lon: -73.9, zone: 'America/New_York' },
];
const offline = createOfflineInterpreter();
const base: InterpretInput = {
  text: '',
  history: [],
  catalogue,
  known: {},
  asked: null,
  draftShown: false,
  places,
  zone: 'America/New_York',
  now,
};
const knowing = (values: Record<string, unknown>): KnownFacts =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value, confidence: 1, confirmed: false }]));
const understand = async (text: string, more: Partial<InterpretInput> = {}) =>
  (await offline.interpret({ ...base, ...more, text })).proposals;

/** `key=value` of every fact, `?key:reason` of every doubt, `!intent` of the rest. */
const brief = (proposals: readonly Proposal[]) =>
  proposals
    .map((proposal) => {
      if (proposal.do === 'ask') return `?${proposal.key}:${proposal.reason}`;
      if (!('key' in proposal))
        return `!${proposal.do}${'topic' in proposal ? `:${proposal.topic}` : ''}${'option' in proposal ? `:${proposal.option}` : ''}`;
      const value = proposal.value as { place?: string; address?: string; amount?: number; from?: string; to?: string };
      if (value?.place) return `${proposal.key}=${value.place}${value.address ? ` @ ${value.address}` : ''}`;
      if (value?.amount) return `${proposal.key}=${value.amount}`;
      return value?.from
        ? `when=${formatWindow(proposal.value as never, now)}`
        : `${proposal.key}=${JSON.stringify(value)?.replaceAll('"', '')}`;
    })
    .sort()
    .join(' · ');

describe('a first message is understood', () => {
  it.each([
    ['I need a haircut', 'service=hair.cut'],
    ['haircutt please', 'service=hair.cut'],
    ['can somebody cut my hair', 'service=hair.cut'],
    ['I would like to get my hair dyed', 'service=hair.color'],
    ["I don't want a haircut, I want hair color", 'service=hair.color'],
    ['balayage for long hair', 'hair_length=long · service=hair.color · technique=balayage'],
    ['clean my apartment, 2 bedrooms', 'bedrooms=2 · service=cleaning.standard'],
    ['deep clean of a two-bedroom flat', 'bedrooms=2 · service=cleaning.deep'],
    ['clean my studio', 'bedrooms=0 · service=cleaning.standard'],
    ['regular cleaning, 3 bedrooms, no pets', 'bedrooms=3 · pets=false · service=cleaning.standard'],
    ['my kitchen sink is leaking', 'room=kitchen · service=plumbing.leak'],
    ['leek under the toilet, the pipe burst', 'room=bathroom · service=plumbing.leak · severity=flood'],
    ['there is no hot water', 'job=repair · service=plumbing.water_heater'],
    ['please replace my water heater', 'job=replace · service=plumbing.water_heater'],
    ['I need an electrician', 'service=electrical.lighting'],
    ['install three ceiling lights', 'fixture_kind=ceiling · fixtures=3 · service=electrical.lighting'],
    ['hang a chandelier', 'fixture_kind=ceiling · fixtures=1 · service=electrical.lighting'],
    ['family photos for 5 people', 'people=5 · service=photo.portrait'],
    ['wedding photographer for 6 hours', 'event_kind=wedding · hours=6 · service=photo.event'],
    ['headshots in a studio', 'service=photo.portrait · setting=studio'],
    ['I need a cleaner', '?service:ambiguous'],
    ['I need a plumer', '?service:ambiguous'],
    ['haircut and highlights', '?service:ambiguous'],
    ['I need a lawyer', '?service:unsupported'],
    ['hello there', '!small_talk:greeting'],
    ['how much is it?', '!small_talk:price'],
    ['what can you do?', '!small_talk:services'],
    ['can I talk to a human', '!hand_off'],
    ['never mind', '!cancel'],
    [
      'I need a haircut tomorrow between 2 and 4 in Brooklyn for under $60',
      'budget=6000 · location=Brooklyn · service=hair.cut · when=Thu, Nov 19, 2–4 pm',
    ],
    ['barber tomorrow 9-11 NYC', 'for_whom=man · location=New York · service=hair.cut · when=Thu, Nov 19, 9–11 am'],
    ['burst pipe in the basement, asap!!', 'room=basement · service=plumbing.leak · severity=flood · when=Wed, Nov 18, 10 am–2 pm'],
    ['it broke yesterday, my tap is dripping', 'service=plumbing.leak · severity=drip'],
    [
      'lights installed next monday morning at 12 Main Street, Brooklyn',
      'location=Brooklyn @ 12 Main Street · service=electrical.lighting · when=Mon, Nov 23, 8 am–12 pm',
    ],
    [
      'deep clean this weekend in LA, max 300 dollars',
      'budget=30000 · location=Los Angeles · service=cleaning.deep · when=Sat, Nov 21 – Sun, Nov 22',
    ],
    ['haircut in Springfield', '?location:ambiguous · service=hair.cut'],
    ['haircut in Atlantis', '?location:unknown_place · service=hair.cut'],
    ['haircut next friday', '?when:ambiguous · service=hair.cut'],
    ['haircut at 7 tomorrow', '?when:ambiguous · service=hair.cut'],
    ['haircut yesterday', 'service=hair.cut'],
    ['haircut, I pay €50', '?budget:unsupported · service=hair.cut'],
    ['call me at (212) 555-0147, haircut tomorrow at 5', 'service=hair.cut · when=Thu, Nov 19, 5 pm'],
    ['haircut. Note: ring twice, mail a.b@example.com', 'notes=ring twice, mail a.b@example.com · service=hair.cut'],
    ['', '!small_talk:other'],
    ['\u0000\u0000', '!small_talk:other'],
    ['🙂', '!small_talk:other'],
  ])('%s → %s', async (text, expected) => {
    expect(brief(await understand(text))).toBe(expected);
  });
});

describe('an answer is understood by what was asked', () => {
  const asking = (key: string, options: Asked['options'] = []): Asked => ({ key, options, times: 1 });
  const lengths = [{ label: 'Short', value: 'short' }, { label: 'Medium', value: 'medium' }, { label: 'Long', value: 'long' }]; // prettier-ignore
  const hair = knowing({ service: 'hair.cut' });
  const clean = knowing({ service: 'cleaning.standard' });

  it.each<[string, Asked, KnownFacts, string]>([
    ['long', asking('hair_length', lengths), hair, '!accept_suggestion:2'],
    ['the second one', asking('hair_length', lengths), hair, '!accept_suggestion:1'],
    ['1', asking('hair_length', lengths), hair, '!accept_suggestion:0'],
    ['it is pretty long', asking('hair_length', lengths), hair, 'hair_length=long'],
    ['purple', asking('hair_length', lengths), hair, '?hair_length:not_understood'],
    ['2', asking('bedrooms'), clean, 'bedrooms=2'],
    ['three please', asking('bedrooms'), clean, 'bedrooms=3'],
    ["it's a studio", asking('bedrooms'), clean, 'bedrooms=0'],
    ['-1', asking('bedrooms'), clean, 'bedrooms=-1'],
    ['2, and tomorrow at 3pm', asking('bedrooms'), clean, 'when=Thu, Nov 19, 3 pm'],
    ['yes', asking('pets'), clean, 'pets=true'],
    ['no', asking('pets'), clean, 'pets=false'],
    ['Los Angelse', asking('location'), hair, 'location=Los Angeles'],
    ['brooklyn', asking('location'), hair, 'location=Brooklyn'],
    ['on the moon', asking('location'), hair, '?location:unknown_place'],
    ['tomorrow afternoon', asking('when'), hair, 'when=Thu, Nov 19, 12–5 pm'],
    ['dunno', asking('when'), hair, '?when:not_understood'],
    ['yesterday', asking('when'), hair, '?when:past'],
    ['60', asking('budget'), hair, 'budget=6000'],
    ['yes', asking('cancel'), hair, '!cancel'],
    ['no', asking('cancel'), hair, '!small_talk:no'],
    ['the time', asking('change'), hair, '?when:ambiguous'],
    ['how long does it take?', asking('hair_length', lengths), hair, '!small_talk:duration'],
  ])('%s', async (text, asked, known, expected) => {
    expect(brief(await understand(text, { asked, known }))).toBe(expected);
  });

  it('a time that fits only one of the offered windows picks it', async () => {
    const [question] = await understand('haircut next friday', { known: hair });
    const asked = asking('when', question?.do === 'ask' ? question.options : []);
    expect(brief(await understand('the 27th', { asked, known: hair }))).toBe('!accept_suggestion:1');
  });

  it('what was said before the service was known is not asked again', async () => {
    const asked = asking('service', [{ label: 'Standard cleaning', value: 'cleaning.standard' }, { label: 'Deep cleaning', value: 'cleaning.deep' }]); // prettier-ignore
    const history = [{ by: 'person' as const, text: 'I need a cleaner for my 3 bedroom house' }];
    expect(brief(await understand('deep', { asked, history }))).toBe('!accept_suggestion:1 · bedrooms=3');
  });
});

describe('a draft is on the table', () => {
  const when = { from: '2026-11-25T15:00:00Z', to: '2026-11-25T17:00:00Z', zone: 'America/New_York' };
  const known = knowing({
    service: 'hair.cut',
    hair_length: 'long',
    when,
    location: { place: 'Brooklyn', lat: 40.6, lon: -73.9, zone: 'America/New_York' },
  });

  it.each([
    'yes',
    'Yes please',
    'yep, send it',
    'looks good',
    'OK',
    'go ahead',
    'perfect, thanks',
    "that's right",
    'Sure!',
    'yes, that works for me',
  ])('%s is an explicit yes', async (text) => {
    expect(brief(await understand(text, { known, draftShown: true }))).toBe('!confirm_draft');
  });

  it.each([
    'yes but later',
    'ok wait',
    'yes?',
    'thanks',
    'maybe',
    'not yet',
    'no',
    'hmm',
    'what happens next?',
    'I guess',
    'is that right?',
    'yes but make it $80',
    'ok cancel it then',
    'send me the price first',
  ])('%s is not', async (text) => {
    expect(brief(await understand(text, { known, draftShown: true }))).not.toContain('confirm_draft');
  });

  it.each([
    ['no, at 5pm', 'when=Wed, Nov 25, 5 pm'],
    ['actually make it thursday', 'when=Thu, Nov 19, 10 am–12 pm'],
    ['actually in Los Angeles', 'location=Los Angeles · when=Wed, Nov 25, 10 am–12 pm'],
    ['make it $80', 'budget=8000'],
    ['change the time', '?when:wanted_change'],
    ['I need a deep clean instead', 'service=cleaning.deep'],
  ])('%s → %s', async (text, expected) => {
    expect(brief(await understand(text, { known, draftShown: true }))).toBe(expected);
  });
});

describe('contact data', () => {
  it('is hidden and restored, the same value by the same mark', async () => {
    const mask = await createMask('salt');
    const text = 'Mail jo@example.org or call +1 212 555 0147 (again: jo@example.org).';
    const hidden = mask.hide(text);
    expect(hidden).not.toMatch(/jo@|555/);
    expect(hidden.match(/\[email-salt-1\]/g)).toHaveLength(2);
    expect(mask.restore(hidden)).toBe(text);
  });

  it('prices, dates and counts are not taken for phone numbers', async () => {
    const mask = await createMask('salt');
    const text = 'Between 2 and 4 on 2026-12-03, $1,200, 3 bedrooms, 10001';
    expect(mask.hide(text)).toBe(text);
  });
});

describe('without a key', () => {
  it('a whole conversation ends in a submitted draft', async () => {
    const interpreter = createInterpreter();
    let known: KnownFacts = {};
    let asked: Asked | null = null;
    let draftShown: 'none' | 'current' = 'none';
    const said: string[] = [];
    for (const text of [
      'hi',
      'I need a cleaner',
      'the deep one',
      '2 bedrooms',
      'in NYC',
      'next friday',
      'the second',
      'oh, and max $300',
      'yes please',
    ]) {
      const { proposals } = await interpreter.interpret({ ...base, text, known, asked, draftShown: draftShown === 'current' });
      const turn = advance({ catalogue, known, proposals, asked, draftShown, now: Date.parse(now) });
      said.push(turn.step.do);
      known = turn.facts;
      asked = turn.asked;
      if (turn.step.do === 'confirm') draftShown = 'current';
      expect(replyTo({ catalogue, turn, formatWindow: (window) => formatWindow(window, now) })).not.toBe('');
    }
    expect(said).toEqual(['chat', 'clarify', 'ask', 'ask', 'ask', 'clarify', 'confirm', 'confirm', 'submit']);
  });

  it('the same message gives the same proposals', async () => {
    const text = 'deep clean this weekend in LA, max 300 dollars, 2 bedrooms';
    expect(await understand(text)).toEqual(await understand(text));
  });

  it('a very long message is read quickly', async () => {
    const started = performance.now();
    await understand('between 2 and 4 and 5-6 or 7 at 1 a a a '.repeat(5_000));
    await understand(`${'1'.repeat(50_000)} ${'$'.repeat(20_000)} ${'a@'.repeat(20_000)}`);
    expect(performance.now() - started).toBeLessThan(20_000);
  });
});

import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { seedCatalogue as catalogue } from '../../src/domain/intake/catalogue-seed.ts';
import { allFactKeys } from '../../src/domain/intake/catalogue.ts';
import { advance, canonicalJson, draftOf, type AdvanceInput, type KnownFacts, type Proposal } from '../../src/domain/intake/decide.ts';
import { replyTo } from '../../src/domain/intake/reply.ts';

const now = Date.parse('2026-11-20T15:00:00Z');
const when = { from: '2026-12-01T15:00:00Z', to: '2026-12-01T17:00:00Z', zone: 'America/New_York' };
const location = { place: 'Brooklyn', lat: 40.6, lon: -73.9, zone: 'America/New_York' };
const knowing = (values: Record<string, unknown>): KnownFacts =>
  Object.fromEntries(Object.entries(values).map(([key, value]) => [key, { value, confidence: 1, confirmed: false }]));
const complete = knowing({ service: 'hair.cut', hair_length: 'long', location, when });
const set = (key: string, value: unknown): Proposal => ({ do: 'set_fact', key, value });
const turn = (proposals: Proposal[], more: Partial<AdvanceInput> = {}) =>
  advance({ catalogue, known: {}, proposals, asked: null, draftShown: 'none', now, ...more });
const reply = (result: ReturnType<typeof turn>, ack?: string) =>
  replyTo({ catalogue, turn: result, formatWindow: ({ from }) => `<${from}>`, ...(ack ? { ack } : {}) });

describe('one turn of intake', () => {
  it('asks for what is missing, one thing at a time, in a fixed order', () => {
    const order = [];
    let known: KnownFacts = {};
    for (const [key, value] of Object.entries({ service: 'hair.cut', hair_length: 'long', location, when })) {
      const { step, missing } = turn([], { known });
      order.push(step.do === 'ask' ? step.key : step.do);
      expect(missing[0]).toBe(key);
      known = { ...known, ...knowing({ [key]: value }) };
    }
    expect(order).toEqual(['service', 'hair_length', 'location', 'when']);
    expect(turn([], { known }).step).toEqual({ do: 'confirm', draft: draftOf(catalogue, known) });
  });

  it('takes everything a first message says at once', () => {
    const { accepted, step } = turn([set('when', when), set('location', location), set('hair_length', 'long'), set('service', 'hair.cut')]);
    expect(accepted.map(({ key }) => key)).toEqual(['service', 'when', 'location', 'hair_length']);
    expect(step.do).toBe('confirm');
  });

  it('lists the choices with the question', () => {
    const { step, asked } = turn([set('service', 'hair.cut')]);
    expect(step).toMatchObject({
      do: 'ask',
      key: 'hair_length',
      options: [{ label: 'Short', value: 'short' }, { label: 'Medium' }, { label: 'Long' }],
    });
    expect(asked).toMatchObject({ key: 'hair_length', times: 1 });
  });

  it('binds an accepted suggestion to the value that was offered', () => {
    const asked = { key: 'location', times: 1, options: [{ label: 'Brooklyn', value: location }] };
    expect(turn([{ do: 'accept_suggestion', option: 0 }], { asked }).accepted).toEqual([
      { key: 'location', value: location, confidence: 1, confirmed: true, corrects: false },
    ]);
  });

  it.each([-1, 1, 0.5, Number.NaN])('ignores an option that was not offered (%s)', (option) => {
    const asked = { key: 'location', times: 1, options: [{ label: 'Brooklyn', value: location }] };
    expect(turn([{ do: 'accept_suggestion', option }], { asked }).accepted).toEqual([]);
  });

  it('given two services, asks which', () => {
    const options = [{ label: 'Haircut', value: 'hair.cut' }, { label: 'Hair colouring', value: 'hair.color' }]; // prettier-ignore
    const result = turn([{ do: 'ask', key: 'service', reason: 'ambiguous', options }]);
    expect(result.step).toEqual({ do: 'clarify', key: 'service', reason: 'ambiguous', options });
    expect(reply(result)).toBe('Which one do you mean: Haircut / Hair colouring?');
  });

  it.each([
    ['an unknown key', set('providerId', 'x'), 'unknown_fact'],
    ['a price', set('price', 0), 'unknown_fact'],
    ['a fact of another service', set('bedrooms', 2), 'not_of_this_service'],
    ['a choice that does not exist', set('hair_length', 'purple'), 'invalid'],
    ['a time that has passed', set('when', { from: '2020-01-01T10:00:00Z', to: '2020-01-01T11:00:00Z', zone: 'UTC' }), 'past'],
    ['a budget below every price', set('budget', { amount: 1, currency: 'USD' }), 'invalid'],
  ])('rejects %s with a reason', (_what, proposal, reason) => {
    const { accepted, rejected } = turn([proposal], { known: knowing({ service: 'hair.cut' }) });
    expect(accepted).toEqual([]);
    expect(rejected).toEqual([expect.objectContaining({ reason })]);
  });

  it('a refused value is told and asked for again', () => {
    const result = turn([set('hair_length', 'purple')], { known: knowing({ service: 'hair.cut' }) });
    expect(reply(result)).toBe('Hair length must be one of short, medium, long. How long is your hair? (Short / Medium / Long)');
  });

  it('given another service, facts that it does not know are set aside', () => {
    const { facts, missing } = turn([{ do: 'correct_fact', key: 'service', value: 'cleaning.deep' }], { known: complete });
    expect(Object.keys(facts).sort()).toEqual(['location', 'service', 'when']);
    expect(missing).toEqual(['bedrooms']);
  });

  it('a known time that has passed meanwhile is asked for again', () => {
    const { missing, rejected } = turn([], { known: complete, now: Date.parse('2027-01-01T00:00:00Z') });
    expect(missing).toEqual(['when']);
    expect(rejected).toEqual([expect.objectContaining({ key: 'when', reason: 'past' })]);
  });

  it('what is known already is not accepted twice', () => {
    expect(turn([set('hair_length', 'long')], { known: complete }).accepted).toEqual([]);
  });
});

describe('the explicit yes', () => {
  it('given exactly the draft that was shown, submits', () => {
    expect(turn([{ do: 'confirm_draft' }], { known: complete, draftShown: 'current' }).step).toMatchObject({ do: 'submit' });
  });

  it.each<[string, Proposal[], Partial<AdvanceInput>]>([
    ['nothing was shown', [{ do: 'confirm_draft' }], { draftShown: 'none' }],
    ['another draft was shown', [{ do: 'confirm_draft' }], { draftShown: 'earlier' }],
    [
      'something changes in the same breath',
      [{ do: 'confirm_draft' }, { do: 'correct_fact', key: 'hair_length', value: 'short' }],
      { draftShown: 'current' },
    ],
    ['a question is open', [{ do: 'confirm_draft' }], { draftShown: 'current', asked: { key: 'change', options: [], times: 1 } }],
    ['something is unclear', [{ do: 'confirm_draft' }, { do: 'ask', key: 'when', reason: 'ambiguous' }], { draftShown: 'current' }],
  ])('given that %s, does not submit', (_what, proposals, more) => {
    expect(turn(proposals, { known: complete, ...more }).step.do).not.toBe('submit');
  });

  it('given that a fact is missing, does not submit', () => {
    expect(turn([{ do: 'confirm_draft' }], { known: knowing({ service: 'hair.cut' }), draftShown: 'current' }).step.do).toBe('ask');
  });

  it('a no to the draft asks what to change', () => {
    expect(reply(turn([{ do: 'small_talk', topic: 'no' }], { known: complete, draftShown: 'current' }))).toBe('What should I change?');
  });
});

describe('leaving', () => {
  it("cancels on the person's own words", () => {
    expect(turn([{ do: 'cancel', explicit: true }], { known: complete }).step).toEqual({ do: 'cancel' });
  });
  it('asks before it cancels on the opinion of a model', () => {
    expect(turn([{ do: 'cancel', explicit: false }], { known: complete }).step).toMatchObject({ do: 'clarify', key: 'cancel' });
  });
  it('changing a fact in the same breath is not leaving', () => {
    expect(turn([{ do: 'cancel', explicit: true }, set('hair_length', 'short')], { known: complete }).step.do).toBe('confirm');
  });
  it('a wish for a person comes first', () => {
    expect(turn([set('hair_length', 'short'), { do: 'hand_off' }], { known: complete }).step.do).toBe('hand_off');
  });
});

describe('replies', () => {
  it('acknowledge what was understood and ask one thing', () => {
    expect(reply(turn([set('service', 'hair.cut'), set('budget', { amount: 6000, currency: 'USD' })]))).toBe(
      'Got it: Haircut · up to $60. How long is your hair? (Short / Medium / Long)',
    );
  });
  it('show the whole draft before they ask for the yes', () => {
    expect(reply(turn([set('notes', 'Ring twice.')], { known: complete }))).toBe(
      'Got it: your note. Here is your request: Haircut\n- Hair length: Long\n- Place: Brooklyn\n- Time: <2026-12-01T15:00:00Z>\n- Notes: Ring twice.\nShall I send this to providers?',
    );
  });
  it("use the interpreter's sentence instead of the template", () => {
    expect(reply(turn([set('service', 'hair.cut')]), 'A haircut, lovely.')).toBe(
      'A haircut, lovely. How long is your hair? (Short / Medium / Long)',
    );
  });
  it('answer a question and keep the open one open', () => {
    expect(reply(turn([{ do: 'small_talk', topic: 'price' }], { known: knowing({ service: 'hair.cut' }) }))).toBe(
      'Haircut costs $30 to $100; every provider makes their own offer. How long is your hair? (Short / Medium / Long)',
    );
  });
  it('offer a person after the third time', () => {
    const asked = { key: 'location', options: [], times: 2 };
    expect(reply(turn([{ do: 'ask', key: 'location', reason: 'not_understood' }], { asked }))).toContain('talk to a person');
  });
});

describe('the canonical draft', () => {
  it('has one text whatever the order of its keys', () => {
    expect(canonicalJson({ b: [1, { d: null, c: undefined }], a: 'x' })).toBe('{"a":"x","b":[1,{"d":null}]}');
    const shuffled = Object.fromEntries(Object.entries(complete).reverse());
    expect(canonicalJson(draftOf(catalogue, shuffled))).toBe(canonicalJson(draftOf(catalogue, complete)));
  });
});

describe('whatever is proposed', () => {
  const values = fc.oneof(
    fc.constantFrom<unknown>(
      'hair.cut',
      'cleaning.deep',
      'long',
      'kitchen',
      3,
      true,
      when,
      location,
      { amount: 6000, currency: 'USD' },
      { amount: 0, currency: 'USD' },
    ),
    fc.jsonValue(),
  );
  const keys = fc.oneof(
    fc.constantFrom(...allFactKeys(catalogue)),
    fc.string({ maxLength: 12 }),
    fc.constantFrom('__proto__', 'constructor', 'price', 'providerId'),
  );
  const options = fc.array(fc.record({ label: fc.string({ maxLength: 10 }), value: values }), { maxLength: 3 });
  const proposal = fc.oneof(
    fc.record({ do: fc.constantFrom('set_fact' as const, 'correct_fact' as const), key: keys, value: values, confidence: fc.double() }),
    fc.record({
      do: fc.constant('ask' as const),
      key: keys,
      reason: fc.constantFrom('ambiguous' as const, 'past' as const, 'unsupported' as const),
      options,
    }),
    fc.record({ do: fc.constant('accept_suggestion' as const), option: fc.integer({ min: -1, max: 4 }) }),
    fc.constant({ do: 'confirm_draft' as const }),
    fc.record({ do: fc.constant('cancel' as const), explicit: fc.boolean() }),
    fc.constant({ do: 'hand_off' as const }),
    fc.record({
      do: fc.constant('small_talk' as const),
      topic: fc.constantFrom('greeting' as const, 'price' as const, 'no' as const, 'other' as const),
    }),
  );
  const inputs = fc.record({
    known: fc.oneof(fc.constant<KnownFacts>({}), fc.constant(complete), fc.dictionary(keys, values, { maxKeys: 6 }).map(knowing)),
    proposals: fc.oneof(fc.array(proposal, { maxLength: 6 }), fc.constant<Proposal[]>([{ do: 'confirm_draft' }])),
    asked: fc.option(fc.record({ key: keys, options, times: fc.integer({ min: 1, max: 5 }) })),
    draftShown: fc.constantFrom('none' as const, 'earlier' as const, 'current' as const),
  });

  it('never more than one question is asked', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const result = turn(input.proposals, input);
        const questions = reply(result).match(/\?/g) ?? [];
        const fromPeople = canonicalJson([input.known, input.proposals]).match(/\?/g) ?? [];
        expect(questions.length).toBeLessThanOrEqual(1 + fromPeople.length);
        expect(result.step.do === 'ask' ? result.missing[0] : null).toBe(result.step.do === 'ask' ? result.step.key : null);
      }),
      { numRuns: 500 },
    );
  });

  it('nothing is submitted but the complete draft that was shown, after a yes and nothing else', () => {
    let submitted = 0;
    fc.assert(
      fc.property(inputs, (input) => {
        const result = turn(input.proposals, input);
        if (result.step.do !== 'submit') return;
        submitted += 1;
        expect(input.draftShown).toBe('current');
        expect(result.step.draft).toEqual(draftOf(catalogue, input.known));
        expect(Object.keys(result.facts).sort()).toEqual(Object.keys(input.known).sort());
        expect(input.proposals).toContainEqual({ do: 'confirm_draft' });
        expect(result.missing).toEqual([]);
        expect(result.accepted).toEqual([]);
      }),
      { numRuns: 1000 },
    );
    expect(submitted).toBeGreaterThan(0);
  });

  it('the same input gives the same turn, and the input is left alone', () => {
    fc.assert(
      fc.property(inputs, (input) => {
        const before = structuredClone(input);
        const [first, second] = [turn(input.proposals, input), turn(input.proposals, input)];
        expect(second).toEqual(first);
        expect(reply(second)).toBe(reply(first));
        expect(input).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });
});

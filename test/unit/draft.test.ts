import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import {
  changedAtAfter,
  draftHash,
  droppedFrom,
  mergeDraft,
  type ChangedAt,
  type DraftChanges,
  type DraftSummary,
} from '../../src/domain/request/draft.ts';
import { emptyRequest } from '../../src/domain/request/evolve.ts';
import { SYSTEM } from '../../src/domain/actor.ts';
import { consumer, requestRun } from '../support/timeline.ts';

const id = (n: number) => `00000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`;
const service = { code: 'plumbing.leak', required: ['service', 'room', 'location', 'when'], price: null };
const setting = (facts: Record<string, number>, more: Partial<DraftChanges> = {}): DraftChanges => ({
  basedOn: 0,
  set: Object.entries(facts).map(([key, n]) => ({ key, factId: id(n) })),
  drop: [],
  service,
  ...more,
});
const refused = (code: string, ...fields: string[]) =>
  expect.objectContaining({ code, detail: expect.objectContaining({ fields: fields.map((field) => expect.objectContaining({ field })) }) });

/** A request with a complete draft, written at position 2. */
function complete() {
  const run = requestRun();
  run.send({
    do: 'editRequest',
    by: consumer,
    changes: setting({ service: 1, room: 2, location: 3, when: 4, budget: 5 }, { windowEndsAt: '2026-06-01T16:00:00Z' }),
  });
  const edit = (facts: Record<string, number>, more: Partial<DraftChanges> = {}) =>
    run.send({ do: 'editRequest', by: consumer, changes: setting(facts, { basedOn: 2, ...more }) });
  return { run, edit };
}
const idOf = (draft: DraftSummary, key: string) => draft.facts.find((fact) => fact.key === key)?.factId;

describe('writers of one draft', () => {
  it('two writers who do not contradict each other both count', () => {
    const { run, edit } = complete();
    edit({ when: 10 }, { windowEndsAt: '2026-06-02T16:00:00Z' });
    edit({ notes: 11 });
    edit({ budget: 12 });
    const { draft } = run.state;
    expect([idOf(draft, 'when'), idOf(draft, 'notes'), idOf(draft, 'budget')]).toEqual([id(10), id(11), id(12)]);
    expect(draft.windowEndsAt).toBe('2026-06-02T16:00:00Z');
    expect(draft.missing).toEqual([]);
  });

  it.each([
    ['the same fact', { when: 10 }, { when: 11 }, '/when'],
    ['a fact of the service, when the service is another now', { service: 10 }, { room: 11 }, '/room'],
    ['the budget, when the service is another now', { service: 10 }, { budget: 11 }, '/budget'],
    ['the service, when one of its facts is newer', { room: 10 }, { service: 11 }, '/service'],
  ])('who contradicts something newer is refused: %s', (_what, first, second, field) => {
    const { run, edit } = complete();
    edit(first);
    const before = run.state.draft;
    expect(() => edit(second)).toThrow(refused('draft_changed', field));
    expect(run.state.draft).toEqual(before);
    edit(second, { basedOn: 3 });
  });

  it('a fact that another service does not have is dropped, and the event says so', () => {
    const { run, edit } = complete();
    const [event] = edit(
      { service: 10 },
      { drop: ['room'], service: { code: 'hair.cut', required: ['service', 'hair_length', 'location', 'when'], price: null } },
    );
    expect(event).toMatchObject({ type: 'request.edited', dropped: ['room'] });
    expect(run.state.draft).toMatchObject({ service: 'hair.cut', missing: ['hair_length'], hash: null });
  });

  it('given a draft of the second release, which does not say what its service requires, what was missing stays missing', () => {
    const old: DraftSummary = {
      ...emptyRequest.draft,
      facts: [{ key: 'service', factId: id(1) }],
      service: 'plumbing.leak',
      missing: ['room', 'when'],
    };
    const { draft } = mergeDraft(old, { service: 5 }, setting({ location: 2 }), 'compare');
    expect(draft).toMatchObject({ service: 'plumbing.leak', missing: ['room', 'when'], hash: null });
  });

  it('an edit that changes nothing writes nothing', () => {
    expect(complete().edit({})).toEqual([]);
  });
});

describe('a turn and its writers', () => {
  const talking = () => {
    const { run, edit } = complete();
    run.send({ do: 'postMessage', by: consumer, messageId: 'm', turnId: 't' });
    const end = (command: { intent: 'confirm' | 'submit' | 'hand_off'; changes?: DraftChanges; agreed?: string; last?: true }) =>
      run.send({ do: 'completeTurn', by: SYSTEM, turnId: 't', ...command });
    return { run, edit, end };
  };

  it('a turn whose fact is older than an edit is answered again; the last answer leaves that fact out', () => {
    const { run, edit, end } = talking();
    edit({ when: 10 });
    const read = setting({ when: 11, notes: 12 }, { basedOn: 2 });
    expect(() => end({ intent: 'confirm', changes: read })).toThrow(refused('draft_changed', '/when'));
    end({ intent: 'confirm', changes: read, last: true });
    expect([idOf(run.state.draft, 'when'), idOf(run.state.draft, 'notes')]).toEqual([id(10), id(12)]);
  });

  it('a last answer that wanted another service, whose facts were changed meanwhile, leaves that service out and all that belongs to it', () => {
    const { run, edit, end } = talking();
    edit({ room: 10 });
    const haircut = { code: 'hair.cut', required: ['service', 'hair_length', 'location', 'when'], price: null };
    const read = setting({ service: 11, hair_length: 12, notes: 13 }, { basedOn: 2, drop: ['room'], service: haircut });
    end({ intent: 'confirm', changes: read, last: true });
    const { draft } = run.state;
    expect([draft.service, draft.missing]).toEqual(['plumbing.leak', []]);
    expect([idOf(draft, 'service'), idOf(draft, 'room'), idOf(draft, 'notes')]).toEqual([id(1), id(10), id(13)]);
    expect(idOf(draft, 'hair_length')).toBeUndefined();
  });

  it('a yes counts for exactly the facts that were shown', () => {
    const { run, edit, end } = talking();
    const shown = run.state.draft.hash!;
    edit({ notes: 10 });
    const nothing = setting({}, { basedOn: 2 });
    expect(() => end({ intent: 'submit', changes: nothing, agreed: shown })).toThrow(expect.objectContaining({ code: 'draft_changed' }));
    expect(run.state.status).toBe('intake');
    const events = end({ intent: 'submit', changes: setting({}, { basedOn: 4 }), agreed: run.state.draft.hash! });
    expect(events.at(-1)).toMatchObject({ type: 'request.submitted', facts: run.state.draft.facts });
    expect(run.state.agreed).toEqual(run.state.draft.facts);
  });

  it('a turn that ends after the request was sent out changes nothing of it', () => {
    const { run, end } = talking();
    run.send({ do: 'submitRequest', by: consumer, draftHash: run.state.draft.hash! });
    const before = run.state.draft;
    end({ intent: 'confirm', changes: setting({ when: 99 }, { basedOn: 3 }) });
    expect(run.state.draft).toEqual(before);
  });

  it('a turn that nobody could answer leaves the draft as it is', () => {
    const { run, edit, end } = talking();
    edit({ notes: 10 });
    const before = run.state.draft;
    end({ intent: 'hand_off' });
    expect(run.state.draft).toEqual(before);
  });
});

describe('the hash of a draft', () => {
  const facts = [1, 2, 3].map((n) => ({ key: `k${n}`, factId: id(n * 7_919) }));

  it('is the same for the same facts in any order, and another for any other fact or mode', () => {
    const hash = draftHash(facts, 'compare');
    expect(draftHash(facts.toReversed(), 'compare')).toBe(hash);
    expect(hash.length).toBeLessThanOrEqual(64);
    const others = [
      draftHash(facts, 'instant'),
      draftHash(facts.slice(1), 'compare'),
      draftHash([...facts, { key: 'k4', factId: id(4) }], 'compare'),
    ];
    expect(new Set([hash, ...others]).size).toBe(4);
  });
});

describe('whoever writes in whatever order', () => {
  const keys = ['service', 'room', 'budget', 'location', 'when', 'notes'] as const;
  const step = fc.record({ behind: fc.nat(3), key: fc.constantFrom(...keys), drop: fc.boolean() });

  it('nothing changes that a writer did not change, and what is refused changes nothing', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        let [draft, changedAt, seq]: [DraftSummary, ChangedAt, number] = [emptyRequest.draft, {}, 1];
        for (const [n, { behind, key, drop }] of steps.entries()) {
          const changes = setting(drop ? {} : { [key]: n + 1 }, { basedOn: Math.max(0, seq - behind), drop: drop ? [key] : [] });
          const { draft: merged, contradicted } = mergeDraft(draft, changedAt, changes, 'compare');
          const others = ({ facts }: DraftSummary) => facts.filter((fact) => fact.key !== key);
          expect(others(merged)).toEqual(others(draft));
          if (contradicted.length) expect(merged.facts).toEqual(draft.facts);
          else expect(idOf(merged, key)).toBe(drop ? undefined : id(n + 1));
          expect(droppedFrom(draft, merged)).toEqual(drop && !contradicted.length && idOf(draft, key) ? [key] : []);
          expect(merged.missing).toEqual(service.required.filter((one) => idOf(merged, one) === undefined));
          expect(merged.hash === null).toBe(merged.missing.length > 0);
          seq += 1;
          changedAt = changedAtAfter(changedAt, draft, merged, seq);
          draft = merged;
        }
      }),
    );
  });
});

import { describe, expect, it } from '@jest/globals';
import { SYSTEM } from '../../src/domain/actor.ts';
import { planned } from '../../src/domain/booking/open.ts';
import { defaultPolicy } from '../../src/domain/policy.ts';
import { liveOffers, offersThatAre } from '../../src/domain/request/evolve.ts';
import { consumer, invitation, noon, offeringRun, providerActor, readyChanges, requestRun, terms } from '../support/timeline.ts';

const refused = (code: string) => expect.objectContaining({ code });
const typesOf = (events: { type: string }[]) => events.map(({ type }) => type);

describe('intake', () => {
  it('given a draft with missing facts, submitting is refused and names them', () => {
    const run = requestRun();
    run.send({ do: 'editRequest', by: consumer, changes: readyChanges('when') });
    expect(() => run.send({ do: 'submitRequest', by: consumer, draftHash: 'hash-1' })).toThrow(
      expect.objectContaining({
        code: 'draft_incomplete',
        detail: expect.objectContaining({ fields: [{ field: '/facts/when', message: 'required' }] }),
      }),
    );
  });

  it('given another draft than the one agreed to, nothing is sent out', () => {
    const run = requestRun();
    run.send({ do: 'editRequest', by: consumer, changes: readyChanges() });
    expect(() => run.send({ do: 'submitRequest', by: consumer, draftHash: 'hash-0' })).toThrow(refused('draft_changed'));
    expect(run.state.status).toBe('intake');
  });

  it('a turn that says yes submits only when its draft is the one that was shown', () => {
    const run = requestRun();
    run.send({ do: 'postMessage', by: consumer, messageId: 'm1', turnId: 't1' });
    run.send({ do: 'completeTurn', by: SYSTEM, turnId: 't1', intent: 'confirm', changes: readyChanges() });
    const agreed = run.state.draft.hash!;
    const notes = { ...readyChanges(), basedOn: 10, set: [{ key: 'notes', factId: '00000000-0000-4000-8000-000000000009' }] };
    run.send({ do: 'postMessage', by: consumer, messageId: 'm2', turnId: 't2' });
    run.send({ do: 'completeTurn', by: SYSTEM, turnId: 't2', intent: 'submit', agreed, changes: notes, last: true });
    expect(run.state.status).toBe('intake');
    run.send({ do: 'postMessage', by: consumer, messageId: 'm3', turnId: 't3' });
    run.send({ do: 'completeTurn', by: SYSTEM, turnId: 't3', intent: 'submit', agreed: run.state.draft.hash });
    expect(run.state.status).toBe('matching');
  });

  it('more waiting messages than the policy allows are refused, and nothing is lost of those before', () => {
    const run = requestRun();
    for (let n = 0; n < defaultPolicy.maxPendingTurns; n += 1)
      run.send({ do: 'postMessage', by: consumer, messageId: `m${n}`, turnId: `t${n}` });
    expect(() => run.send({ do: 'postMessage', by: consumer, messageId: 'one-more', turnId: 'tx' })).toThrow(refused('conversation_busy'));
    expect(run.state.pendingTurns).toHaveLength(defaultPolicy.maxPendingTurns);
  });

  it("somebody else's message is refused", () => {
    expect(() => requestRun().send({ do: 'postMessage', by: providerActor(1), messageId: 'm', turnId: 't' })).toThrow(refused('not_owner'));
  });
});

describe('offers', () => {
  it("a provider's yes in compare mode is a proposal on the suggested terms", () => {
    const run = offeringRun();
    expect(typesOf(run.send({ do: 'acceptOffer', by: providerActor(0), offerId: 'offer-0', bookingId: 'b' }))).toEqual(['offer.proposed']);
    expect(run.state.offers['offer-0']).toMatchObject({ status: 'proposed', version: 1, price: 15_000 });
  });

  it("a provider's yes in instant mode books, ends the other offers, holds the slot and confirms the booking in one write", () => {
    const run = offeringRun(3, 'instant');
    const at = ['2026-06-01T10:00:00.000Z'];
    const reminders = planned(terms, defaultPolicy, at);
    const written = run.send({ do: 'acceptOffer', by: providerActor(0), offerId: 'offer-0', bookingId: 'b', reminders });
    expect(typesOf(written)).toEqual(['offer.accepted', 'offer.superseded', 'offer.superseded', 'booking.held', 'booking.confirmed']);
    expect(written.at(-2)).toMatchObject({ stream: 'booking/b', providerId: providerActor(0).id, price: 15_000 });
    expect(written.at(-1)).toMatchObject({ stream: 'booking/b', remindAt: at });
    expect(run.state).toMatchObject({ status: 'booked', accepted: { offerId: 'offer-0', bookingId: 'b' } });
  });

  it.each([
    ['no reminders', undefined],
    ['reminders of another slot', planned({ ...terms, startsAt: '2026-01-01T00:00:00.000Z' }, defaultPolicy, [])],
    ['reminders of another policy', planned(terms, { ...defaultPolicy, reminderBeforeMs: [1] }, [])],
  ])('given %s, a yes only holds the slot: the booking plans its own and confirms then', (_, reminders) => {
    const run = offeringRun(3, 'instant');
    const written = run.send({
      do: 'acceptOffer',
      by: providerActor(0),
      offerId: 'offer-0',
      bookingId: 'b',
      ...(reminders && { reminders }),
    });
    expect(typesOf(written).at(-1)).toBe('booking.held');
  });

  it('given a price that has to be authorised first, a yes only holds the slot', () => {
    const run = offeringRun(3, 'instant', { ...defaultPolicy, payments: 'stripe' });
    const written = run.send({ do: 'acceptOffer', by: providerActor(0), offerId: 'offer-0', bookingId: 'b' });
    expect(typesOf(written)).toEqual(['offer.accepted', 'offer.superseded', 'offer.superseded', 'booking.held']);
  });

  it('accept belongs to whoever has the turn', () => {
    const run = offeringRun();
    expect(() => run.send({ do: 'acceptOffer', by: consumer, offerId: 'offer-0', bookingId: 'b' })).toThrow(refused('not_your_turn'));
    run.send({ do: 'proposeOffer', by: providerActor(0), offerId: 'offer-0' });
    expect(() => run.send({ do: 'acceptOffer', by: providerActor(0), offerId: 'offer-0', bookingId: 'b' })).toThrow(
      refused('not_your_turn'),
    );
    run.send({ do: 'counterOffer', by: consumer, offerId: 'offer-0', terms: { ...terms, price: 14_000 } });
    expect(() => run.send({ do: 'acceptOffer', by: consumer, offerId: 'offer-0', bookingId: 'b' })).toThrow(refused('not_your_turn'));
    run.send({ do: 'acceptOffer', by: providerActor(0), offerId: 'offer-0', bookingId: 'b' });
    expect(run.state.offers['offer-0']).toMatchObject({ status: 'accepted', version: 2, price: 14_000 });
  });

  it('a price outside the service is refused with its bounds', () => {
    const run = offeringRun();
    expect(() => run.send({ do: 'proposeOffer', by: providerActor(0), offerId: 'offer-0', terms: { ...terms, price: 1 } })).toThrow(
      /between 100.00 USD and 500.00 USD/,
    );
  });

  it("another provider's offer cannot be touched", () => {
    const run = offeringRun();
    expect(() => run.send({ do: 'proposeOffer', by: providerActor(1), offerId: 'offer-0' })).toThrow(refused('not_owner'));
    expect(() => run.send({ do: 'withdrawOffer', by: consumer, offerId: 'offer-0' })).toThrow(refused('forbidden_role'));
  });

  it('after one offer has won, every other is refused, and nothing is possible after the end of the booking', () => {
    const run = offeringRun();
    for (const n of [0, 1]) run.send({ do: 'proposeOffer', by: providerActor(n), offerId: `offer-${n}` });
    run.send({ do: 'acceptOffer', by: consumer, offerId: 'offer-0', bookingId: 'b' });
    const another = () => run.send({ do: 'acceptOffer', by: consumer, offerId: 'offer-1', bookingId: 'c' });
    expect(another).toThrow(refused('offer_not_open'));
    run.send({ do: 'endBooking', by: SYSTEM, bookingId: 'b', outcome: 'completed' });
    expect(another).toThrow(refused('invalid_transition'));
    const extend = { do: 'intervene', by: { id: 'o', role: 'admin' }, action: 'extend_deadline', ticket: 'T', reason: 'r' } as const;
    expect(() => run.send(extend)).toThrow(
      expect.objectContaining({ code: 'invalid_transition', detail: { status: 'completed', allowed: [] } }),
    );
  });

  it('when a round closes, silent invitations expire and live offers get a deadline', () => {
    const run = offeringRun();
    run.send({ do: 'proposeOffer', by: providerActor(0), offerId: 'offer-0' });
    run.send({ do: 'closeRound', by: SYSTEM, round: 1 });
    expect(offersThatAre(run.state, 'expired')).toHaveLength(2);
    expect(liveOffers(run.state)).toHaveLength(1);
    expect(Date.parse(run.state.decideBy!)).toBe(noon + defaultPolicy.decisionMs);
  });
});

describe('a booking that ends', () => {
  const booked = () => {
    const run = offeringRun();
    run.send({ do: 'proposeOffer', by: providerActor(0), offerId: 'offer-0' });
    run.send({ do: 'acceptOffer', by: consumer, offerId: 'offer-0', bookingId: 'b' });
    return run;
  };

  it.each([
    ['completed', 'completed'],
    ['cancelled', 'cancelled'],
    ['no_show', 'cancelled'],
    ['provider_dropped', 'matching'],
    ['released', 'matching'],
  ] as const)('as %s leaves the request %s', (outcome, status) => {
    const run = booked();
    run.send({ do: 'endBooking', by: SYSTEM, bookingId: 'b', outcome });
    expect(run.state.status).toBe(status);
  });

  it('because its provider dropped out: the search goes on without them, with all its rounds', () => {
    const run = booked();
    run.send({ do: 'endBooking', by: SYSTEM, bookingId: 'b', outcome: 'provider_dropped' });
    expect(run.state).toMatchObject({ excluded: [providerActor(0).id], accepted: null, searchedBefore: 1 });
  });

  it('stays with the request that goes on: a run that begins again finds every booking, oldest first', () => {
    const run = booked();
    run.send({ do: 'endBooking', by: SYSTEM, bookingId: 'b', outcome: 'provider_dropped' });
    expect(run.state).toMatchObject({ accepted: null, bookings: ['b'] });
    run.send({ do: 'invite', by: SYSTEM, round: 2, radiusKm: 15, invitations: [{ ...invitation(1), offerId: 'offer-9' }] });
    run.send({ do: 'proposeOffer', by: providerActor(1), offerId: 'offer-9' });
    run.send({ do: 'acceptOffer', by: consumer, offerId: 'offer-9', bookingId: 'c' });
    run.send({ do: 'endBooking', by: SYSTEM, bookingId: 'c', outcome: 'completed' });
    expect(run.state).toMatchObject({ status: 'completed', bookings: ['b', 'c'] });
  });

  it("twice, or somebody else's, changes nothing", () => {
    const run = booked();
    expect(run.send({ do: 'endBooking', by: SYSTEM, bookingId: 'other', outcome: 'completed' })).toEqual([]);
    run.send({ do: 'endBooking', by: SYSTEM, bookingId: 'b', outcome: 'completed' });
    expect(run.send({ do: 'endBooking', by: SYSTEM, bookingId: 'b', outcome: 'cancelled' })).toEqual([]);
  });

  it('cannot be bypassed: cancelling a booked request points at the booking', () => {
    expect(() => booked().send({ do: 'cancelRequest', by: consumer })).toThrow(
      expect.objectContaining({ code: 'invalid_transition', detail: { status: 'booked', allowed: ['cancelBooking'] } }),
    );
  });
});

describe('what is carried across continue-as-new', () => {
  it('stays under 10 KB however long the conversation was', () => {
    const run = requestRun();
    for (let n = 0; n < 300; n += 1) {
      run.send({
        id: `abcdefghijklmnopqr${String(n).padStart(4, '0')}`,
        do: 'postMessage',
        by: consumer,
        messageId: `m${n}`,
        turnId: `t${n}`,
      });
      run.send({
        id: `turn/00000000-0000-4000-8000-00000000${String(n).padStart(4, '0')}`,
        do: 'completeTurn',
        by: SYSTEM,
        turnId: `t${n}`,
        intent: 'ask',
        changes: { ...readyChanges(), basedOn: 1_000 },
      });
    }
    expect(run.state.turns).toBe(300);
    expect(JSON.stringify(run.state).length).toBeLessThan(10_000);
  });
});

describe('terms that were made from an older version', () => {
  it('given a counter-offer that the provider has not read, their new price is refused and the counter-offer stays', () => {
    const run = offeringRun();
    run.send({ do: 'proposeOffer', by: providerActor(0), offerId: 'offer-0' });
    const later = { ...terms, startsAt: '2026-06-01T15:00:00.000Z', endsAt: '2026-06-01T16:00:00.000Z' };
    run.send({ do: 'counterOffer', by: consumer, offerId: 'offer-0', terms: later, basedOn: 1 });
    const cheaper = { do: 'proposeOffer', by: providerActor(0), offerId: 'offer-0', terms: { ...terms, price: 12_000 } } as const;
    expect(() => run.send({ ...cheaper, basedOn: 1 })).toThrow(refused('terms_changed'));
    expect(run.state.offers['offer-0']).toMatchObject({ status: 'countered', startsAt: later.startsAt });
    run.send({ ...cheaper, basedOn: 2 });
    expect(run.state.offers['offer-0']).toMatchObject({ status: 'proposed', price: 12_000 });
  });
});

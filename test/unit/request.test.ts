import { describe, expect, it } from '@jest/globals';
import { SYSTEM } from '../../src/domain/actor.ts';
import { defaultPolicy } from '../../src/domain/policy.ts';
import { liveOffers, offersThatAre } from '../../src/domain/request/evolve.ts';
import { consumer, noon, offeringRun, providerActor, readyDraft, requestRun, terms } from '../support/timeline.ts';

const refused = (code: string) => expect.objectContaining({ code });
const typesOf = (events: { type: string }[]) => events.map(({ type }) => type);

describe('intake', () => {
  it('given a draft with missing facts, submitting is refused and names them', () => {
    const run = requestRun();
    run.send({ do: 'editRequest', by: consumer, draft: { ...readyDraft, missing: ['when'], hash: null } });
    expect(() => run.send({ do: 'submitRequest', by: consumer, draftHash: 'hash-1' })).toThrow(
      expect.objectContaining({
        code: 'draft_incomplete',
        detail: expect.objectContaining({ fields: [{ field: '/facts/when', message: 'required' }] }),
      }),
    );
  });

  it('given another draft than the one agreed to, nothing is sent out', () => {
    const run = requestRun();
    run.send({ do: 'editRequest', by: consumer, draft: readyDraft });
    expect(() => run.send({ do: 'submitRequest', by: consumer, draftHash: 'hash-0' })).toThrow(refused('draft_changed'));
    expect(run.state.status).toBe('intake');
  });

  it('a turn that says yes submits only when its draft is the one that was shown', () => {
    const run = requestRun();
    run.send({ do: 'postMessage', by: consumer, messageId: 'm1', turnId: 't1' });
    run.send({ do: 'completeTurn', by: SYSTEM, turnId: 't1', intent: 'confirm', draft: readyDraft });
    run.send({ do: 'postMessage', by: consumer, messageId: 'm2', turnId: 't2' });
    run.send({ do: 'completeTurn', by: SYSTEM, turnId: 't2', intent: 'submit', draft: { ...readyDraft, hash: 'hash-2' } });
    expect(run.state.status).toBe('intake');
    run.send({ do: 'postMessage', by: consumer, messageId: 'm3', turnId: 't3' });
    run.send({ do: 'completeTurn', by: SYSTEM, turnId: 't3', intent: 'submit', draft: { ...readyDraft, hash: 'hash-2' } });
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

  it("a provider's yes in instant mode books, ends the other offers and holds the slot in the same breath", () => {
    const run = offeringRun(3, 'instant');
    const written = run.send({ do: 'acceptOffer', by: providerActor(0), offerId: 'offer-0', bookingId: 'b' });
    expect(typesOf(written)).toEqual(['offer.accepted', 'offer.superseded', 'offer.superseded', 'booking.held']);
    expect(written.at(-1)).toMatchObject({ stream: 'booking/b', providerId: providerActor(0).id, price: 15_000 });
    expect(run.state).toMatchObject({ status: 'booked', accepted: { offerId: 'offer-0', bookingId: 'b' } });
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

  it('after one offer has won, every other is refused', () => {
    const run = offeringRun();
    for (const n of [0, 1]) run.send({ do: 'proposeOffer', by: providerActor(n), offerId: `offer-${n}` });
    run.send({ do: 'acceptOffer', by: consumer, offerId: 'offer-0', bookingId: 'b' });
    expect(() => run.send({ do: 'acceptOffer', by: consumer, offerId: 'offer-1', bookingId: 'c' })).toThrow(refused('offer_not_open'));
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
        draft: readyDraft,
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

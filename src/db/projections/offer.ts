import { offerMachine } from '../../domain/offer.machine.ts';
import { requestMachine } from '../../domain/request.machine.ts';
import type { RequestEvent, Terms } from '../../domain/request.types.ts';
import { assertBookable } from '../calendar.ts';
import { Offer } from '../entities/offer.ts';
import { Request } from '../entities/request.ts';
import { sql, type Db } from '../orm.ts';
import { move, rangeOf, type Projectors } from './move.ts';

type OfferEvent = Extract<RequestEvent, { type: `offer.${string}` }> & { id: string };

/** An offer's events stand on its request's timeline; `id` is the request's. */
export const offerProjectors = {
  'offer.invited': async (tx, event) => {
    const { offerId, requestId, providerId, round, score, expiresAt, at } = event;
    await sql(
      tx,
      `insert into offer (id, request_id, provider_id, round, version, price, currency, during, zone, score, expires_at, created_at, changed_at)
       values (?, ?, ?, ?, 1, ?, ?, ?::tstzrange, ?, ?, ?, ?, ?)`,
      [
        offerId,
        requestId,
        providerId,
        round,
        event.price,
        event.currency,
        rangeOf(event.startsAt, event.endsAt),
        event.zone,
        score,
        expiresAt,
        at,
        at,
      ],
    );
    await addVersion(tx, offerId, 1, 'system', event, at);
    await sql(tx, 'update candidate set invited = true where request_id = ? and round = ? and provider_id = ?', [
      requestId,
      round,
      providerId,
    ]);
  },
  'offer.proposed': async (tx, event) => {
    const { offerId, version, by, at, startsAt, endsAt } = event;
    await changeTerms(tx, event, 'propose');
    await sql(tx, 'update offer set proposed_at = coalesce(proposed_at, ?) where id = ?', [at, offerId]);
    await assertBookable(tx, offerId, { startsAt, endsAt }, at);
    await addVersion(tx, offerId, version, by.role, event, at);
  },
  'offer.countered': async (tx, event) => {
    await changeTerms(tx, event, 'counter');
    await assertBookable(tx, event.offerId, event, event.at);
    await addVersion(tx, event.offerId, event.version, event.by.role, event, event.at);
  },
  'offer.accepted': async (tx, { id, offerId, bookingId, at }) => {
    await move(tx, Offer, offerMachine, offerId, 'accept', { changedAt: new Date(at) });
    await move(tx, Request, requestMachine, id, 'book', { acceptedOfferId: offerId, bookingId, deadline: null });
  },
  'offer.declined': (tx, { offerId, at }) => move(tx, Offer, offerMachine, offerId, 'decline', { changedAt: new Date(at) }),
  'offer.withdrawn': (tx, { offerId, at }) => move(tx, Offer, offerMachine, offerId, 'withdraw', { changedAt: new Date(at) }),
  'offer.expired': (tx, { offerId, code, at }) =>
    move(tx, Offer, offerMachine, offerId, 'expire', { statusReason: code, changedAt: new Date(at) }),
  'offer.superseded': (tx, { offerId, code, at }) =>
    move(tx, Offer, offerMachine, offerId, 'supersede', { statusReason: code, changedAt: new Date(at) }),
} satisfies Projectors<OfferEvent>;

type TermsEvent = Terms & { offerId: string; version: number; at: string };

function changeTerms(tx: Db, { offerId, version, price, currency, startsAt, endsAt, zone, at }: TermsEvent, step: 'propose' | 'counter') {
  return move(tx, Offer, offerMachine, offerId, step, {
    version,
    price,
    currency,
    during: rangeOf(startsAt, endsAt),
    zone,
    changedAt: new Date(at),
  });
}

/** Versions are immutable; taking the suggested terms repeats none. */
function addVersion(tx: Db, offerId: string, version: number, role: string, terms: Terms, at: string) {
  return sql(
    tx,
    'insert into offer_version (offer_id, version, by_role, price, currency, during, created_at) values (?, ?, ?, ?, ?, ?::tstzrange, ?) on conflict do nothing',
    [offerId, version, role, terms.price, terms.currency, rangeOf(terms.startsAt, terms.endsAt), at],
  );
}

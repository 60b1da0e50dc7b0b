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
  'offer.invited': (tx, event) => invite(tx, [event]),
  'offer.proposed': async (tx, event) => {
    const { offerId, version, by, at, startsAt, endsAt } = event;
    await assertBookable(tx, offerId, { startsAt, endsAt }, at, true);
    await changeTerms(tx, event, 'propose');
    await addVersion(tx, offerId, version, by.role, event, at);
  },
  'offer.countered': async (tx, event) => {
    await assertBookable(tx, event.offerId, event, event.at, false);
    await changeTerms(tx, event, 'counter');
    await addVersion(tx, event.offerId, event.version, event.by.role, event, event.at);
  },
  'offer.accepted': async (tx, { id, offerId, bookingId, at }) => {
    await move(tx, Offer, offerMachine, offerId, 'accept', { changedAt: new Date(at) });
    await move(tx, Request, requestMachine, id, 'book', { acceptedOfferId: offerId, bookingId, deadline: null });
  },
  'offer.declined': (tx, { offerId, at }) => move(tx, Offer, offerMachine, offerId, 'decline', { changedAt: new Date(at) }),
  'offer.withdrawn': (tx, { offerId, at }) => move(tx, Offer, offerMachine, offerId, 'withdraw', { changedAt: new Date(at) }),
  'offer.expired': (tx, event) => end(tx, [event], 'expire'),
  'offer.superseded': (tx, event) => end(tx, [event], 'supersede'),
} satisfies Projectors<OfferEvent>;

/** A round invites and ends up to a dozen offers at once. */
export const offersTogether = { 'offer.invited': invite, 'offer.expired': endAll('expire'), 'offer.superseded': endAll('supersede') };

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

import { requestMachine } from '../../domain/request/machine.ts';
import type { RequestEvent } from '../../domain/request/types.ts';
import type { EventMeta } from '../../domain/timeline.ts';
import { Offer } from '../entities/offer.ts';
import { Request } from '../entities/request.ts';
import { sql, type Db } from '../orm.ts';
import { assertBookable } from '../slot/check.ts';
import { move, moveAll, rangeOf, type Projectors } from './move.ts';
import type { Terms } from '../../domain/terms.ts';
import { offerMachine } from '../../domain/request/offer.ts';

type OfferEvent = Extract<RequestEvent, { type: `offer.${string}` }> & { id: string };
type Invited = Extract<RequestEvent, { type: 'offer.invited' }> & EventMeta;
type Ended = Extract<RequestEvent, { type: 'offer.expired' | 'offer.superseded' }> & EventMeta;

/** An offer's events stand on its request's timeline; `id` is the request's. */
export const offerProjectors = {
  'offer.invited': (tx, event) => invite(tx, [event]),
  'offer.proposed': async (tx, event) => {
    const { offerId, at, startsAt, endsAt } = event;
    await assertBookable(tx, offerId, { startsAt, endsAt }, at, true);
    await changeTerms(tx, event, 'propose');
    await sql(
      tx,
      `with answered as (update offer set proposed_at = coalesce(proposed_at, ?) where id = ?) ${insertVersion}`,
      [at, offerId, ...versionOf(event)],
      { prepared: true },
    );
  },
  'offer.countered': async (tx, event) => {
    await assertBookable(tx, event.offerId, event, event.at, false);
    await changeTerms(tx, event, 'counter');
    await sql(tx, insertVersion, versionOf(event), { prepared: true });
  },
  'offer.accepted': async (tx, { id, offerId, bookingId, at }) => {
    await move(tx, Offer, offerMachine, offerId, 'accept', { changedAt: new Date(at) });
    await move(tx, Request, requestMachine, id, 'book', { acceptedOfferId: offerId, bookingId, deadline: null });
  },
  'offer.declined': (tx, { offerId, at }) => move(tx, Offer, offerMachine, offerId, 'decline', { changedAt: new Date(at) }),
  'offer.withdrawn': (tx, { offerId, at }) => move(tx, Offer, offerMachine, offerId, 'withdraw', { changedAt: new Date(at) }),
  'offer.expired': (tx, event) => end(tx, [event]),
  'offer.superseded': (tx, event) => end(tx, [event]),
} satisfies Projectors<OfferEvent>;

/** A round invites and ends up to a dozen offers at once. */
export const offersTogether = { 'offer.invited': invite, 'offer.expired': end, 'offer.superseded': end };

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

// Versions never change. Accepting the suggested terms writes no second row for the same version.
const insertVersion = `
  insert into offer_version (offer_id, version, by_role, price, currency, during, created_at)
  values (?, ?, ?, ?, ?, ?::tstzrange, ?) on conflict do nothing`;

const versionOf = ({ offerId, version, by, price, currency, startsAt, endsAt, at }: TermsEvent & EventMeta) => [
  offerId,
  version,
  by.role,
  price,
  currency,
  rangeOf(startsAt, endsAt),
  at,
];

const insertInvitations = `
  with invited as (
    select * from jsonb_to_recordset(?::jsonb) as i(id uuid, request_id uuid, provider_id uuid, round smallint, price int, currency text,
      during tstzrange, zone text, score real, expires_at timestamptz, at timestamptz)),
  offers as (
    insert into offer (id, request_id, provider_id, round, version, price, currency, during, zone, score, expires_at, created_at, changed_at)
    select id, request_id, provider_id, round, 1, price, currency, during, zone, score, expires_at, at, at from invited),
  versions as (
    insert into offer_version (offer_id, version, by_role, price, currency, during, created_at)
    select id, 1, 'system', price, currency, during, at from invited)
  update candidate c set invited = true from invited i
  where c.request_id = i.request_id and c.round = i.round and c.provider_id = i.provider_id`;

function invite(tx: Db, events: readonly Invited[]) {
  const rows = events.map(({ offerId, requestId, providerId, round, price, currency, startsAt, endsAt, zone, score, expiresAt, at }) => ({
    id: offerId,
    request_id: requestId,
    provider_id: providerId,
    round,
    price,
    currency,
    during: rangeOf(startsAt, endsAt),
    zone,
    score,
    expires_at: expiresAt,
    at,
  }));
  return sql(tx, insertInvitations, [JSON.stringify(rows)], { prepared: true });
}

async function end(tx: Db, events: readonly Ended[]): Promise<void> {
  for (const code of new Set(events.map((event) => event.code))) {
    const ids = events.filter((event) => event.code === code).map(({ offerId }) => offerId);
    const { type, at } = events[0]!;
    await moveAll(tx, Offer, offerMachine, ids, type === 'offer.expired' ? 'expire' : 'supersede', {
      statusReason: code,
      changedAt: new Date(at),
    });
  }
}

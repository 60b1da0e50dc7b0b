import { requestMachine } from '../../domain/request/machine.ts';
import type { RequestEvent } from '../../domain/request/types.ts';
import { Request } from '../entities/request.ts';
import { sql, type Db } from '../orm.ts';
import { move, nothing, type Projectors } from './move.ts';
import { offerProjectors } from './offer.ts';
import type { DraftSummary } from '../../domain/request/draft.ts';

/** An event together with the id of its request, taken from the stream. */
type WithId<E> = E & { id: string };

export const requestProjectors = {
  ...offerProjectors,
  'request.opened': (tx, { requestId, consumerId, mode, catalogueVersion, at }) =>
    sql(tx, 'insert into request (id, consumer_id, mode, catalogue_version, created_at) values (?, ?, ?, ?, ?)', [
      requestId,
      consumerId,
      mode,
      catalogueVersion,
      at,
    ]),
  'message.posted': (tx, { id, messageId, turnId, at }) =>
    sql(
      tx,
      `with posted as (update message set turn_id = ? where id = ?) insert into turn (id, stream, created_at) values (?, ?, ?) on conflict do nothing`,
      [turnId, messageId, turnId, `request/${id}`, at],
    ),
  'turn.completed': async (tx, { id, draft }) => applyDraft(tx, id, draft),
  'request.edited': async (tx, { id, draft, mode }) => {
    await applyDraft(tx, id, draft);
    await sql(tx, 'update request set mode = ? where id = ?', [mode, id]);
  },
  'request.submitted': (tx, { id, draftHash, facts }) =>
    move(tx, Request, requestMachine, id, 'submit', { draftHash, agreedFacts: facts?.map(({ factId }) => factId) }),
  'round.opened': (tx, { id, round, closesAt }) => move(tx, Request, requestMachine, id, 'invite', { round, deadline: new Date(closesAt) }),
  'round.reminded': nothing,
  'round.closed': (tx, { id, decideBy }) => setDeadline(tx, id, decideBy),
  'request.reopened': (tx, { id }) => move(tx, Request, requestMachine, id, 'reopen', { acceptedOfferId: null, bookingId: null }),
  'request.rematched': (tx, { id }) => move(tx, Request, requestMachine, id, 'rematch', { deadline: null }),
  'request.extended': (tx, { id, closesAt, decideBy }) => setDeadline(tx, id, decideBy ?? closesAt),
  'request.nudged': nothing,
  'request.claimed': async (tx, { id, guestId, consumerId }) => {
    await sql(tx, 'update request set consumer_id = ? where id = ?', [consumerId, id]);
    // Events that the guest could see stay visible to the user who the guest signed in as.
    await sql(tx, 'update event set audience = array_replace(audience, ?::uuid, ?::uuid) where stream = ?', [
      guestId,
      consumerId,
      `request/${id}`,
    ]);
  },
  'request.completed': (tx, event) => close(tx, event, 'complete'),
  'request.cancelled': (tx, event) => close(tx, event, 'cancel'),
  'request.abandoned': (tx, event) => close(tx, event, 'abandon'),
  'request.unfilled': (tx, event) => close(tx, event, 'giveUp'),
  'operator.intervened': nothing,
} satisfies Projectors<WithId<RequestEvent>>;

function close(tx: Db, { id, code, at }: { id: string; code: string; at: string }, step: 'complete' | 'cancel' | 'abandon' | 'giveUp') {
  return move(tx, Request, requestMachine, id, step, { statusReason: code, closedAt: new Date(at), deadline: null });
}

const setDeadline = (tx: Db, id: string, deadline: string | null) =>
  sql(tx, 'update request set deadline = ? where id = ?', [deadline, id]);

/** Makes the staged facts of a draft the current ones. The event carries ids only, no values. */
async function applyDraft(tx: Db, id: string, draft: DraftSummary): Promise<void> {
  const stream = `request/${id}`;
  const counting = uuids(draft.facts);
  await sql(
    tx,
    `update fact set status = case when id = any(?::uuid[]) then 'current' else 'replaced' end
     where stream = ? and (status = 'staged' and id = any(?::uuid[]) or status = 'current' and not id = any(?::uuid[]))`,
    [counting, stream, counting, counting],
  );
  await sql(tx, 'update request set service_code = ?, missing = ?::text[], draft_hash = ? where id = ?', [
    draft.service,
    textArray(draft.missing),
    draft.hash,
    id,
  ]);
}

const uuids = (facts: { factId: string }[]) => textArray(facts.map(({ factId }) => factId));
/** A Postgres array literal of plain words and ids. */
const textArray = (values: readonly string[]) => `{${values.map((value) => `"${value.replaceAll(/["\\]/g, '\\$&')}"`).join(',')}}`;

// Checks a deal after its faults: every effect happened once, and nothing is left open. The checks do not trust Proxie's answers.
// They compare the payment provider's own ledger, the timelines, the rows and the notifications.
import { eventually, type Json } from '../support/http.ts';
import type { StripeServer } from '../support/stripe.ts';
import type { Deal } from './deal.ts';
import type { Stack } from './harness.ts';

/** The required ending of a deal. Amounts are in minor units. */
export interface Ending {
  request: string;
  bookings: BookingEnding[];
  /** How often the search began again. Default: once for each booking but the last. */
  reopened?: number;
}

export interface BookingEnding {
  /** All event types of the booking's timeline, in order. A type that is written twice is listed twice. */
  timeline: string[];
  captured: number;
  refunded: number;
  /** How often money was reserved. */
  authorised: number;
  /** Numbers of notifications by kind, where they are not the usual ones. */
  told?: Record<string, number>;
}

/** Event types with notifications, and the number of people who are told. */
const told: Record<string, number> = {
  'booking.confirmed': 2,
  'booking.released': 2,
  'booking.cancelled': 1,
  'booking.completed': 1,
  'booking.no_show': 2,
  'booking.disputed': 1,
  'booking.settled': 2,
  'booking.rescheduled': 1,
  'reschedule.proposed': 1,
  'reschedule.expired': 1,
  'payment.declined': 1,
  'payment.refunded': 1,
};
const statusAfter: Record<string, string> = {
  'booking.released': 'released',
  'booking.cancelled': 'cancelled',
  'booking.completed': 'completed',
  'booking.no_show': 'no_show',
  'booking.settled': 'settled',
};

/**
 * Halves of messages: events that one message writes to several streams, but that stand in different transactions or have no counterpart.
 * The columns of Postgres tell which transaction has written a row.
 */
export async function halvesOf(stack: Stack, requestId: string, bookings: readonly string[]): Promise<string[]> {
  const streams = [`request/${requestId}`, ...bookings.flatMap((id) => [`booking/${id}`, `review/${id}`])];
  const rows = await stack.rows<{ stream: string; type: string; tx: string }>(
    'select stream, type, xmin::text as tx from event where stream = any(?::text[]) order by position',
    [`{${streams.join()}}`],
  );
  const among = (stream: string, ...types: string[]) => rows.filter((row) => row.stream === stream && types.includes(row.type));
  const accepted = among(streams[0]!, 'offer.accepted');
  const told = among(streams[0]!, 'request.completed', 'request.cancelled', 'request.reopened');
  return bookings.flatMap((id, n) => {
    const stream = `booking/${id}`;
    const end = among(stream, 'booking.completed', 'booking.cancelled', 'booking.released', 'booking.no_show')[0];
    const pairs = [
      [among(stream, 'booking.held')[0], accepted[n]],
      [end, told[n]],
      [among(stream, 'booking.completed')[0], among(`review/${id}`, 'review.opened')[0]],
    ];
    return pairs
      .filter(([one, other]) => one?.tx !== other?.tx)
      .map(([one, other]) => `half: ${one?.type ?? 'nothing'} of ${stream} without ${other?.type ?? 'its counterpart'}`);
  });
}

/** Waits until a deal has nothing left to do: its run ends when its reviews are published. */
export async function untilDone(stack: Stack, { requestId, bookings }: Deal, withinMs = 120_000): Promise<void> {
  const run = `request/${requestId}`;
  const streams = [run, ...bookings.flatMap((id) => [`booking/${id}`, `review/${id}`])];
  const working = async () => {
    const open = await stack.rows<Json>('select stream from open_stream where stream = any(?::text[])', [`{${streams.join()}}`]);
    if (open.length > 0) return open;
    const { status } = await stack.client.workflow.getHandle(run).describe();
    return status.name === 'RUNNING' ? [run] : [];
  };
  const asked = () => working().catch((error: Error) => [error.message]);
  await eventually(asked, (left) => left.length === 0, { what: 'the end of a deal', withinMs });
}

/** All problems of a finished deal. With several allowed endings, the problems against the nearest ending. */
export async function problemsOf(stack: Stack, stripe: StripeServer, deal: Deal, ...endings: Ending[]): Promise<string[]> {
  const found = await Promise.all(endings.map((ending) => comparedWith(ending, stack, stripe, deal)));
  return found.toSorted((a, b) => a.length - b.length)[0]!;
}

async function comparedWith(ending: Ending, stack: Stack, stripe: StripeServer, deal: Deal): Promise<string[]> {
  const found: string[] = [];
  const compare = (what: string, is: unknown, wanted: unknown) => {
    const [a, b] = [JSON.stringify(is), JSON.stringify(wanted)];
    if (a !== b) found.push(`${what}: ${a}, not ${b}`);
  };
  const { bookings, requestId } = deal;
  const one = async (text: string, ...params: unknown[]) => (await stack.rows<Json>(text, params))[0];

  compare(
    'bookings of the request',
    (await stack.rows<{ id: string }>('select id from booking where request_id = ? order by created_at', [requestId]))
      .map(({ id }) => id)
      .toSorted(),
    bookings.toSorted(),
  );
  compare('endings', bookings.length, ending.bookings.length);
  const request = await one(
    `select r.status, (select count(*)::int from event where stream = ? and type = 'offer.accepted') as accepted,
       (select count(*)::int from event where stream = ? and type = 'request.reopened') as reopened,
       (select count(*)::int from event where stream = ? and type in ('request.completed', 'request.cancelled', 'request.unfilled', 'request.abandoned')) as ends
     from request r where r.id = ?`,
    ...Array.from({ length: 3 }, () => `request/${requestId}`),
    requestId,
  );
  const { reopened = bookings.length - 1 } = ending;
  compare('request', request, { status: ending.request, accepted: bookings.length, reopened, ends: 1 });
  found.push(...(await halvesOf(stack, requestId, bookings)));
  const run = await stack.client.workflow.getHandle(`request/${requestId}`).describe();
  compare('run', run.status.name, 'COMPLETED');

  for (const [index, id] of bookings.entries()) {
    const {
      timeline,
      captured,
      refunded,
      authorised,
      told: others,
    }: BookingEnding = ending.bookings[index] ?? {
      timeline: [],
      captured: 0,
      refunded: 0,
      authorised: 0,
    };
    const stream = `booking/${id}`;
    const events = (await stack.rows<{ type: string }>('select type from event where stream = ? order by seq', [stream])).map(
      ({ type }) => type,
    );
    compare(`${stream} timeline`, events, timeline);
    const last = timeline.findLast((type) => statusAfter[type]);
    const row = await one(
      `select b.status, (select count(*)::int from open_stream where stream = ?) as open,
         (select array_agg(type order by seq) from event where stream = ? and type in ('review.opened', 'review.closed')) as reviews from booking b where id = ?`,
      stream,
      `review/${id}`,
      id,
    );
    const reviews = timeline.includes('booking.completed') ? ['review.opened', 'review.closed'] : null;
    compare(`${stream} row`, row, { status: statusAfter[last ?? ''], open: 0, reviews });
    const ours = await one(
      `select coalesce(sum(captured), 0)::int as captured, coalesce(sum(refunded), 0)::int as refunded,
         count(*) filter (where status in ('requested', 'authorised'))::int as open, count(*)::int as attempts from payment where booking_id = ?`,
      id,
    );
    const attempts = timeline.filter((type) => type === 'payment.requested').length;
    compare(`${stream} payment rows`, ours, { captured, refunded, open: 0, attempts });
    const { authorisations, ...money } = stripe.ledger.of(id);
    compare(`${stream} ledger`, [money.captured, money.refunded, money.open, authorisations], [captured, refunded, 0, authorised]);
    const kinds = await stack.rows<{ kind: string; n: number }>(
      'select kind, count(*)::int as n from notification where stream = ? group by kind order by kind',
      [stream],
    );
    compare(`${stream} told`, Object.fromEntries(kinds.map(({ kind, n }) => [kind, n])), { ...expectedKinds(timeline), ...others });
  }
  return found;
}

function expectedKinds(timeline: string[]): Record<string, number> {
  const counts = Object.entries(Object.groupBy(timeline, (type) => type)).flatMap(([type, all]) =>
    told[type] ? [[type.replace('.', '_'), told[type] * all!.length] as const] : [],
  );
  return Object.fromEntries(counts.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

/** Problems of all deals together: money without a booking, money still reserved, and people who were told twice. */
export async function problemsOfAll(stack: Stack, stripe: StripeServer): Promise<string[]> {
  const rows = await stack.rows<{ id: string; status: string }>('select id, status from booking', []);
  const known = new Map(rows.map(({ id, status }) => [id, status]));
  const goesOn = (booking: string) => ['held', 'confirmed', 'in_progress'].includes(known.get(booking) ?? '');
  const reserved = stripe.intents().filter(({ status, metadata }) => status === 'requires_capture' && !goesOn(metadata.booking));
  const strange = stripe.ledger.entries.filter(({ booking }) => !known.has(booking));
  const twice = await stack.rows(`select recipient_id, kind, stream, data, count(*) from notification
    where kind not in ('payment_declined', 'offer_received') group by 1, 2, 3, 4 having count(*) > 1`);
  const commands = await stack.rows('select stream, command_id from event group by 1, 2 having count(*) <> count(distinct part)');
  return [
    ...stripe.ledger.problems(),
    ...reserved.map(({ id, metadata }) => `still reserved: ${id} of ${JSON.stringify(metadata)}`),
    ...strange.map((entry) => `nobody's money: ${JSON.stringify(entry)}`),
    ...twice.map((row) => `told twice: ${JSON.stringify(row)}`),
    ...commands.map((row) => `a command twice: ${JSON.stringify(row)}`),
  ];
}

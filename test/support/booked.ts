// Confirmed bookings with their own policy and slot, also one that has begun or is over, for rules that depend on the clock.
// They are held as an acceptance holds them, but at an earlier instant.
import { randomUUID } from 'node:crypto';
import type { BookingHeld } from '../../src/domain/booking/types.ts';
import { defaultPolicy, type Policy } from '../../src/domain/policy.ts';
import { hold, run } from './held.ts';
import { eventually, type Caller, type Json } from './http.ts';
import { accepted, untilStatus } from './play.ts';
import { city, seedProvider } from './seed.ts';
import type { Suite } from './suite.ts';

export const minuteMs = 60_000;
const quarterMs = 15 * minuteMs;

/** Start of the first quarter of an hour that is at least `inMs` milliseconds from now; epoch milliseconds. */
export const quarter = (inMs: number): number => Math.ceil((Date.now() + inMs) / quarterMs) * quarterMs;

export interface Booked {
  id: string;
  /** `/bookings/<id>` */
  path: string;
  requestId: string;
  consumer: Caller;
  provider: Caller;
  consumerId: string;
  providerId: string;
  startsAt: number;
  confirm(): Promise<void>;
  view(): Promise<Json>;
  types(): Promise<string[]>;
  /** Kinds of the notifications of one side about this booking, oldest first. */
  told(side: 'consumer' | 'provider'): Promise<string[]>;
}

export interface BookOptions {
  policy?: Partial<Policy>;
  /** Epoch milliseconds, on a quarter of an hour. */
  startsAt?: number;
  price?: number;
  /** Leaves out the fields that bookings of the first release did not have. */
  old?: boolean;
  /** Only holds the slot, without a run, so the booking is not confirmed before `confirm` is called. */
  held?: boolean;
}

export const address = '1 Main Street';

export async function book(
  suite: Suite,
  { policy = {}, startsAt = quarter(60 * minuteMs), price = 15_000, old = false, held: onlyHeld = false }: BookOptions = {},
): Promise<Booked> {
  const [requestId, id] = [randomUUID(), randomUUID()];
  const seeded = await seedProvider(suite.orm, { price });
  const [consumer, provider] = [await suite.as(`consumer-${id}`, 'consumer'), await suite.as(seeded.subject, 'provider')];
  const { id: consumerId } = accepted(await consumer.get('/me'));
  await suite.rows("update user_account set display_name = 'Dana', email = ? where id = ?", [`${consumerId}@example.test`, consumerId]);
  const whole: Policy = { ...defaultPolicy, reminderBeforeMs: [], ...policy };
  const held: BookingHeld = {
    type: 'booking.held',
    bookingId: id,
    requestId,
    offerId: randomUUID(),
    consumerId,
    providerId: seeded.id,
    service: 'plumbing.leak',
    price,
    currency: 'USD',
    startsAt: new Date(startsAt).toISOString(),
    endsAt: new Date(startsAt + 60 * minuteMs).toISOString(),
    zone: 'America/New_York',
    heldUntil: new Date(Date.now() + 60 * minuteMs).toISOString(),
    policy: old ? firstRelease(whole) : whole,
  };
  const at = new Date(Math.min(Date.now(), startsAt - minuteMs)).toISOString();
  await hold(suite, held, { at, location: { ...city, address } });
  const confirm = async () => {
    await run(suite, requestId);
    // A booking that is over may have completed by itself already.
    await untilStatus(suite, 'booking', id, 'confirmed', 'completed');
  };
  if (!onlyHeld) await confirm();
  const path = `/bookings/${id}`;
  const list = async <T>(text: string, params: unknown[]) => suite.rows<T>(text, params);
  return {
    id,
    path,
    requestId,
    consumer,
    provider,
    consumerId,
    providerId: seeded.id,
    startsAt,
    confirm,
    view: async () => accepted(await consumer.get(path)),
    types: async () =>
      (await list<{ type: string }>('select type from event where stream = ? order by seq', [`booking/${id}`])).map(({ type }) => type),
    told: async (side) =>
      (
        await list<{ kind: string }>('select kind from notification where stream = ? and recipient_id = ? order by seq, kind', [
          `booking/${id}`,
          side === 'consumer' ? consumerId : seeded.id,
        ])
      ).map(({ kind }) => kind),
  };
}

/** The policy of the first release, when bookings could not be moved, paid for or contested. */
function firstRelease(policy: Policy): Policy {
  const since = [
    'payments',
    'paymentRetryMs',
    'holdExtensionMs',
    'reauthoriseBeforeMs',
    'cancellation',
    'finalPrice',
    'reschedulesPerParty',
    'rescheduleAnswerMs',
    'contestMs',
    'disputeMs',
    'quietHours',
  ];
  return Object.fromEntries(Object.entries(policy).filter(([key]) => !since.includes(key))) as unknown as Policy;
}

/** Waits until the booking has this status. */
export const until = ({ view }: Booked, status: string): Promise<Json> =>
  eventually(view, (booking) => booking.status === status, { what: `the booking to be ${status}` });

/** Waits until the run of the booking's request has ended, so that the next command starts another run. */
export async function runEnded(suite: Suite, { requestId }: Booked): Promise<void> {
  await suite.temporal.workflow.getHandle(`request/${requestId}`).result();
}

import { randomInt } from 'node:crypto';
import { bookingMachine } from '../../domain/booking/machine.ts';
import type { BookingEvent } from '../../domain/booking/types.ts';
import { invalid } from '../../domain/errors.ts';
import { isZone } from '../../domain/calendar/local-time.ts';
import { Booking } from '../entities/booking.ts';
import { sql, type Db } from '../orm.ts';
import { assertFree } from '../slot/check.ts';
import { holdSlot } from '../slot/hold.ts';
import { moveSlot } from '../slot/reschedule.ts';
import { move, nothing, type Projectors } from './move.ts';
import { paymentProjectors } from './payment.ts';

/** `id` is the booking's id, taken from its stream. */
export const bookingProjectors = {
  ...paymentProjectors,
  'booking.held': (tx, event) => holdSlot(tx, event),
  'booking.hold_extended': (tx, { id, heldUntil }) => sql(tx, 'update booking set held_until = ? where id = ?', [heldUntil, id]),
  'booking.confirmed': async (tx, { id }) => {
    await move(tx, Booking, bookingMachine, id, 'confirm');
    await makeCheckInCode(tx, id);
  },
  'booking.released': (tx, { id, code, at }) =>
    move(tx, Booking, bookingMachine, id, 'release', { statusReason: code, closedAt: new Date(at) }),
  'booking.reminded': nothing,
  'booking.checked_in': (tx, { id }) => move(tx, Booking, bookingMachine, id, 'checkIn', { reschedule: null }),
  'booking.completed': (tx, { id, finalPrice, at }) =>
    move(tx, Booking, bookingMachine, id, 'complete', { finalPrice, closedAt: new Date(at) }),
  'booking.cancelled': (tx, { id, outcome, fee, at }) =>
    move(tx, Booking, bookingMachine, id, 'cancel', { statusReason: outcome, fee, reschedule: null, closedAt: new Date(at) }),
  'booking.no_show': (tx, { id, absent, fee, at }) =>
    move(tx, Booking, bookingMachine, id, 'reportNoShow', { statusReason: absent, fee, reschedule: null, closedAt: new Date(at) }),
  'booking.disputed': (tx, { id }) => move(tx, Booking, bookingMachine, id, 'dispute'),
  'booking.settled': (tx, { id, refund }) => move(tx, Booking, bookingMachine, id, 'settle', { refund }),
  'booking.rescheduled': (tx, event) => moveSlot(tx, event),
  'reschedule.proposed': async (tx, { id, side, startsAt, endsAt, zone, expiresAt, at }) => {
    // No schema checks input from the CLI, and an unknown zone would stop the run.
    if (!isZone(zone)) throw invalid('/slot/zone', 'must be an IANA time zone');
    await assertFree(tx, id, { startsAt, endsAt }, at, side === 'provider');
    const proposal = JSON.stringify({ by: side, slot: { startsAt, endsAt, zone }, expiresAt });
    await sql(tx, 'update booking set reschedule = ?::jsonb where id = ?', [proposal, id]);
  },
  'reschedule.declined': (tx, { id }) => forgetProposal(tx, id),
  'reschedule.withdrawn': (tx, { id }) => forgetProposal(tx, id),
  'reschedule.expired': (tx, { id }) => forgetProposal(tx, id),
  'operator.intervened': nothing,
} satisfies Projectors<BookingEvent & { id: string }>;

const forgetProposal = (tx: Db, id: string) => sql(tx, 'update booking set reschedule = null where id = ?', [id]);

/** Makes the six digits that the consumer shows at the door. They are made here, so that no history and no event holds them. */
function makeCheckInCode(tx: Db, id: string) {
  return sql(tx, 'insert into check_in_code (booking_id, code) values (?, ?) on conflict do nothing', [id, randomCode()]);
}

export const randomCode = (): string => String(randomInt(0, 1_000_000)).padStart(6, '0');

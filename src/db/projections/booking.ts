import { bookingMachine } from '../../domain/booking.machine.ts';
import type { BookingEvent } from '../../domain/booking.types.ts';
import { holdSlot } from '../hold.ts';
import { Booking } from '../entities/booking.ts';
import { move, type Projectors } from './move.ts';

const nothing = async () => {};

/** `id` is the booking's, from its stream. */
export const bookingProjectors = {
  'booking.held': (tx, event) => holdSlot(tx, event),
  'booking.confirmed': (tx, { id }) => move(tx, Booking, bookingMachine, id, 'confirm'),
  'booking.released': (tx, { id, code, at }) =>
    move(tx, Booking, bookingMachine, id, 'release', { statusReason: code, closedAt: new Date(at) }),
  'booking.reminded': nothing,
  'booking.checked_in': (tx, { id }) => move(tx, Booking, bookingMachine, id, 'checkIn'),
  'booking.completed': (tx, { id, finalPrice, at }) =>
    move(tx, Booking, bookingMachine, id, 'complete', { finalPrice, closedAt: new Date(at) }),
  'booking.cancelled': (tx, { id, outcome, at }) =>
    move(tx, Booking, bookingMachine, id, 'cancel', { statusReason: outcome, closedAt: new Date(at) }),
  'booking.no_show': (tx, { id, absent, at }) =>
    move(tx, Booking, bookingMachine, id, 'reportNoShow', { statusReason: absent, closedAt: new Date(at) }),
  'operator.intervened': nothing,
} satisfies Projectors<BookingEvent & { id: string }>;

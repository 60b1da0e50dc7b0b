import { defineMachine } from '../machine.ts';

/** A reschedule keeps `confirmed` and swaps the slot. */
export const bookingMachine = defineMachine(
  'booking',
  ['held', 'confirmed', 'in_progress', 'completed', 'released', 'cancelled', 'no_show', 'disputed', 'settled'],
  {
    confirm: { from: ['held'], to: 'confirmed' },
    release: { from: ['held'], to: 'released' },
    checkIn: { from: ['confirmed'], to: 'in_progress' },
    complete: { from: ['in_progress'], to: 'completed' },
    cancel: { from: ['confirmed'], to: 'cancelled' },
    reportNoShow: { from: ['confirmed'], to: 'no_show' },
    dispute: { from: ['completed', 'no_show'], to: 'disputed' },
    settle: { from: ['disputed'], to: 'settled' },
  },
);
export type BookingStatus = (typeof bookingMachine.statuses)[number];
/** Statuses in which a booking occupies the provider's calendar. */
export const occupyingStatuses = ['held', 'confirmed', 'in_progress'] as const satisfies readonly BookingStatus[];

/** One authorisation of a booking's price; a booking has several when one is declined or replaced before it lapses. */
export const paymentMachine = defineMachine('payment', ['requested', 'authorised', 'declined', 'captured', 'released'], {
  authorise: { from: ['requested'], to: 'authorised' },
  decline: { from: ['requested'], to: 'declined' },
  capture: { from: ['authorised'], to: 'captured' },
  release: { from: ['requested', 'authorised'], to: 'released' },
});
export type PaymentStatus = (typeof paymentMachine.statuses)[number];

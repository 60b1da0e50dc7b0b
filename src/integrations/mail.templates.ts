// Texts of mails: short, with a link. They contain no name, address, price or words of the other side, because mail is not
// private.
import type { NotificationKind } from '../domain/notification.ts';

export interface MailSubject {
  kind: string;
  /** `request/<id>` and so on. */
  stream: string;
  /** Ids of the things that the mail is about: `offerId`, `bookingId`. */
  ids: Record<string, string>;
}

/** Subject and first sentence by notification kind: a kind without a text does not compile. */
export const mailTexts: Readonly<Record<NotificationKind, readonly [subject: string, sentence: string]>> = {
  intake_idle: ['Your request is waiting for you', 'You have started a request and not sent it yet.'],
  invited: ['A new request for you', 'Somebody nearby needs one of your services.'],
  invitation_reminder: ['A request is waiting for your answer', 'You have been asked and the time to answer is running out.'],
  offer_received: ['You have an offer', 'A provider has answered your request.'],
  offer_countered: ['New terms for your offer', 'The other side proposes other terms.'],
  offer_declined: ['An offer was declined', 'The other side has said no.'],
  offer_withdrawn: ['An offer was withdrawn', 'A provider has taken an offer back.'],
  offer_superseded: ['Your offer has ended', 'The request went another way.'],
  offers_ready: ['Your offers are ready', 'The offers for your request are in: compare and choose.'],
  request_unfilled: ['Nobody was found this time', 'Your request has ended without a booking.'],
  searching_again: [
    'We are searching again',
    'The booking fell through. We are asking other providers right now, with priority; you need not do anything, and we write as soon as there is an offer.',
  ],
  booking_confirmed: ['Booking confirmed', 'The slot is yours.'],
  booking_released: ['The slot was released', 'The booking was not confirmed in time.'],
  booking_reminder: ['Your booking is coming up', 'A reminder of a booking.'],
  booking_completed: ['Booking completed', 'The job is done.'],
  booking_cancelled: ['Booking cancelled', 'A booking was cancelled: it does not take place.'],
  booking_no_show: ['A missed booking', 'It was reported that somebody did not come. Whoever was there can contest it.'],
  booking_disputed: ['Somebody objects', 'The other side objects to how a booking ended. A person from our team looks at it.'],
  booking_settled: ['Your case is decided', 'A person from our team has decided about a booking.'],
  booking_rescheduled: ['Your booking has moved', 'The proposed slot was agreed to: the booking has a new time.'],
  reschedule_proposed: [
    'Another time is proposed',
    'The other side would like to move a booking. The agreed time stays until you say yes.',
  ],
  reschedule_declined: ['The agreed time stays', 'The other side has said no to another time.'],
  reschedule_withdrawn: ['The agreed time stays', 'The proposal to move a booking was taken back.'],
  reschedule_expired: ['The agreed time stays', 'The proposal to move a booking has ended: it was not answered, or the slot has gone.'],
  payment_declined: ['Your payment was declined', 'Store another payment method and pay again, so that the booking can stand.'],
  payment_refunded: ['You get money back', 'A payment for a booking is being refunded.'],
  payment_failed: ['A booking could not be paid for', 'The booking and its request have ended, because the payment did not go through.'],
  series_proposed: ['Somebody wants to come back regularly', 'A consumer asks you to repeat a booking: one yes covers all of it.'],
  series_accepted: ['Your series is agreed', 'The provider has agreed: each occurrence is booked when it comes into reach.'],
  series_declined: ['Your series was declined', 'The provider does not want to repeat the booking.'],
  series_expired: ['Your series was not answered', 'The provider did not answer in time.'],
  series_missed: [
    'A time of your series could not be booked',
    'The slot is not free, or something is missing: look, and move it if you can.',
  ],
  series_moved: ['A time of your series has moved', 'The consumer wants another time for one occurrence.'],
  series_skipped: ['A time of your series is left out', 'The consumer does not need one occurrence.'],
  series_ended: ['A series has ended', 'Nothing more of it is booked. What is booked already stays booked.'],
  series_finished: ['Your series is complete', 'The last of it has been booked. Start another one whenever you like.'],
  review_requested: ['How was it?', 'Write a review of your booking.'],
  review_waiting: ['The other side has written a review', 'Write yours, and both are published.'],
  review_reminder: ['Your review is still missing', 'There is not much time left to write one.'],
  review_published: ['Reviews are published', 'The reviews of a booking can be read now.'],
  enrollment_idle: ['Your application is waiting for you', 'You have started an application and not handed it in yet.'],
  enrollment_changes_requested: ['Your application needs a change', 'Somebody has looked at it and asks for changes.'],
  enrollment_approved: ['Welcome', 'Your application was approved: you can be found and booked.'],
  enrollment_rejected: ['Your application', 'Your application was not approved.'],
  calendar_import_failing: [
    'Your own calendar cannot be read',
    'One of your calendars could not be read several times: you may be booked when you are busy. Look at its address.',
  ],
  enrollment_expired: ['Your application has expired', 'It was not handed in for a long time.'],
};

const anything = ['News for you', 'Something has changed.'] as const;

/** The subject and text of one mail. @param publicUrl address of this service for people, without a slash at the end */
export function mailText({ kind, stream, ids }: MailSubject, publicUrl: string): { subject: string; text: string } {
  const [subject, sentence] = (Object.hasOwn(mailTexts, kind) && mailTexts[kind as NotificationKind]) || anything;
  const link = `${publicUrl}/${pathTo(stream, ids)}`;
  return {
    subject: `Proxie: ${subject}`,
    text: `${sentence}\n\n${link}\n\nYou can choose in your settings which mails you get: ${publicUrl}/me\n`,
  };
}

function pathTo(stream: string, { offerId, bookingId }: Record<string, string>): string {
  const [noun, id] = stream.split('/') as [string, string];
  if (noun === 'booking' || noun === 'review') return `bookings/${id}`;
  if (noun === 'series') return stream;
  if (bookingId) return `bookings/${bookingId}`;
  if (offerId) return `offers/${offerId}`;
  return `${noun}s/${id}`;
}

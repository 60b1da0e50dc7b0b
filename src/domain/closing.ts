/** Event types after which a stream has nothing left to do: its run may end, and the reconciler leaves the stream alone. */
const closing: ReadonlySet<string> = new Set([
  'request.completed',
  'request.cancelled',
  'request.abandoned',
  'request.unfilled',
  'booking.completed',
  'booking.released',
  'booking.cancelled',
  'booking.no_show',
  'booking.settled',
  'payment.closed',
  'review.closed',
  'enrollment.approved',
  'enrollment.rejected',
  'enrollment.withdrawn',
  'enrollment.expired',
  'series.declined',
  'series.expired',
  'series.ended',
]);

/**
 * Whether an event closes its stream. A booking's end with `settling` does not: money still has to be moved, and `payment.closed` closes
 * it.
 */
export const closes = (event: { type: string }): boolean => closing.has(event.type) && !(event as { settling?: boolean }).settling;

/** Whether an event opens a closed stream again. A dispute does: a run has to wait for the ruling and settle the booking. */
export const reopens = ({ type }: { type: string }): boolean => type === 'booking.disputed';

/** Whether a stream still needs a run. @param events all events of the stream, in order of `seq` */
export const wantsRun = (events: readonly { type: string }[]): boolean =>
  events.reduce((open, event) => (closes(event) ? false : open || reopens(event)), true);

/** Streams of rows that no workflow owns, by noun: the API appends to them, and no run ever serves them. */
const withoutRun: ReadonlySet<string> = new Set(['provider', 'user', 'review-post']);

/** @param stream `<noun>/<id>` */
export const needsRun = (stream: string): boolean => !withoutRun.has(stream.split('/')[0]!);

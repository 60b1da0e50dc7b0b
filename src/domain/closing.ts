/** Event types after which a stream has nothing left to do: its run ends, and the reconciler leaves it alone. */
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

/** A booking that is `settling` still moves money: `payment.closed` closes it. */
export const closes = (event: { type: string }): boolean => closing.has(event.type) && !(event as { settling?: boolean }).settling;

/** A dispute needs the booking's run once more. */
export const reopens = ({ type }: { type: string }): boolean => type === 'booking.disputed';

/** Whether a stream with these events still wants a run. */
export const wantsRun = (events: readonly { type: string }[]): boolean =>
  events.reduce((open, event) => (closes(event) ? false : open || reopens(event)), true);

/** Streams of rows that no workflow owns, by noun: the API appends to them, and no run ever serves them. */
const withoutRun: ReadonlySet<string> = new Set(['provider', 'user', 'review-post']);

export const needsRun = (stream: string): boolean => !withoutRun.has(stream.split('/')[0]!);

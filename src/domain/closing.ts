/** Event types after which a stream has nothing left to do: its run ends, and the reconciler leaves it alone. */
export const closingEvents: ReadonlySet<string> = new Set([
  'request.completed',
  'request.cancelled',
  'request.abandoned',
  'request.unfilled',
  'booking.completed',
  'booking.released',
  'booking.cancelled',
  'booking.no_show',
  'review.closed',
  'enrollment.approved',
  'enrollment.rejected',
  'enrollment.withdrawn',
  'enrollment.expired',
]);

/** Streams of rows that no workflow owns, by noun: the API appends to them, and no run ever serves them. */
const withoutRun: ReadonlySet<string> = new Set(['provider', 'user', 'review-post']);

export const needsRun = (stream: string): boolean => !withoutRun.has(stream.split('/')[0]!);

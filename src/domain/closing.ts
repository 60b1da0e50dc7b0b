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

import type { FeedFault } from '../../domain/calendar-feed.ts';

/** This calendar cannot be read now; what was read before stays. */
export class FeedError extends Error {
  override readonly name = 'FeedError';
  readonly code: FeedFault;

  constructor(code: FeedFault) {
    super(code);
    this.code = code;
  }
}

import type { EventBase } from './timeline.ts';

/** What stands on `provider/<id>`: which fields changed, never what they say. */
export type ProviderEvent = EventBase &
  (
    | { type: 'provider.changed'; fields: string[] }
    | { type: 'provider.paused' | 'provider.resumed' }
    | { type: 'provider.service_changed'; service: string; active: boolean }
    | { type: 'provider.availability_changed'; openings: number }
  );

/** What stands on `user/<id>`. */
export type UserEvent = EventBase & { type: 'user.changed'; fields: string[] };

/** What stands on `review-post/<id>`: a published review's later life. */
export type ReviewPostEvent = EventBase & ({ type: 'review.replied' } | { type: 'review.reported'; code: string });

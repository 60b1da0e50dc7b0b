import type { EventBase } from '../timeline.ts';
import type { ImportFault } from '../calendar/import.ts';

export type ProviderNews = 'calendar_import_failing';

/** What stands on `provider/<id>`: which fields changed, never what they say. */
export type ProviderEvent = EventBase<ProviderNews> &
  (
    | { type: 'provider.changed'; fields: string[] }
    | { type: 'provider.paused' | 'provider.resumed' }
    | { type: 'provider.service_changed'; service: string; active: boolean }
    | { type: 'provider.availability_changed'; openings: number }
    | { type: 'provider.exception_added' | 'provider.exception_changed'; exceptionId: string; kind: 'closed' | 'extra' }
    | { type: 'provider.exception_removed'; exceptionId: string }
    | { type: 'provider.calendar_feed_opened' | 'provider.calendar_feed_closed' }
    | { type: 'provider.calendar_import_changed' | 'provider.calendar_import_removed'; importId: string }
    | { type: 'provider.calendar_import_failing'; importId: string; fault: ImportFault }
  );

/** What stands on `user/<id>`. */
export type UserEvent = EventBase &
  ({ type: 'user.changed'; fields: string[] } | { type: 'user.payment_method_stored' | 'user.payment_method_removed' });

/** What stands on `review-post/<id>`: a published review's later life. */
export type ReviewPostEvent = EventBase & ({ type: 'review.replied' } | { type: 'review.reported'; code: string });

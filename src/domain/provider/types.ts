import type { EventBase } from '../timeline.ts';
import type { ImportFault } from '../calendar/import.ts';

export type ProviderNews = 'calendar_import_failing';

/** Events of the stream `provider/<id>`. They name the changed fields and never hold values. */
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

/** Events of the stream `user/<id>`. */
export type UserEvent = EventBase &
  ({ type: 'user.changed'; fields: string[] } | { type: 'user.payment_method_stored' | 'user.payment_method_removed' });

/** Events of the stream `review-post/<id>`: what happens to a review after its publication. */
export type ReviewPostEvent = EventBase & ({ type: 'review.replied' } | { type: 'review.reported'; code: string });

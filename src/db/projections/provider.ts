import { providerMachine } from '../../domain/provider/machine.ts';
import type { ProviderEvent, ReviewPostEvent, UserEvent } from '../../domain/provider/types.ts';
import { Provider } from '../entities/provider.ts';
import { move, nothing, type Projectors } from './move.ts';

// Only the status changes here. The caller of src/db/change.ts writes all other rows, in the transaction of the event.
export const providerProjectors = {
  'provider.changed': nothing,
  'provider.paused': (tx, { id }) => move(tx, Provider, providerMachine, id, 'pause'),
  'provider.resumed': (tx, { id }) => move(tx, Provider, providerMachine, id, 'resume'),
  'provider.service_changed': nothing,
  'provider.availability_changed': nothing,
  'provider.exception_added': nothing,
  'provider.exception_changed': nothing,
  'provider.exception_removed': nothing,
  'provider.calendar_feed_opened': nothing,
  'provider.calendar_feed_closed': nothing,
  'provider.calendar_import_changed': nothing,
  'provider.calendar_import_removed': nothing,
  'provider.calendar_import_failing': nothing,
} satisfies Projectors<ProviderEvent & { id: string }>;

export const userProjectors = {
  'user.changed': nothing,
  'user.payment_method_stored': nothing,
  'user.payment_method_removed': nothing,
} satisfies Projectors<UserEvent>;

export const reviewPostProjectors = { 'review.replied': nothing, 'review.reported': nothing } satisfies Projectors<ReviewPostEvent>;

import { z } from 'zod';
import type { BookingView } from '../../contracts/booking.ts';
import { actorOf, type Actor } from '../../domain/actor.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import type { Policy } from '../../domain/policy.ts';
import { asSide, type ApiActor } from '../http/auth.ts';

export const bookingId = z.strictObject({ bookingId: z.uuid() });
export const bookingErrors = [
  'not_found',
  'not_owner',
  'forbidden_role',
  'invalid_transition',
  'temporarily_unavailable',
] as const satisfies ErrorCode[];

/** A booking with its agreed policy. */
export interface BookingOf {
  booking: BookingView;
  policy: Policy;
}

/** The actor in the role of their side; a user may be the consumer or the provider. @throws forbidden_role */
export const sideOf = (actor: ApiActor, { booking: { consumer, provider } }: Pick<BookingOf, 'booking'>): Actor =>
  actorOf(asSide(actor, { consumerId: consumer.id, providerId: provider.id }));

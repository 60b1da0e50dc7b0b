import { Booking, Review, ReviewDraft } from './booking.ts';
import { Credential, Enrollment, EnrollmentRevision } from './enrollment.ts';
import { Event, IdempotencyKey, Notification, OpenStream } from './event.ts';
import { Offer, OfferVersion } from './offer.ts';
import { AvailabilityException, AvailabilityRule, CatalogueVersion, Place, Provider, ProviderService } from './provider.ts';
import { Candidate, Fact, Message, Request, Turn } from './request.ts';
import { UserAccount } from './user.ts';

/** The explicit registry: what is not here does not exist for the ORM and its migrations. */
export const entities = [
  UserAccount,
  Provider,
  ProviderService,
  AvailabilityRule,
  AvailabilityException,
  Place,
  CatalogueVersion,
  Request,
  Message,
  Turn,
  Fact,
  Candidate,
  Offer,
  OfferVersion,
  Booking,
  Review,
  ReviewDraft,
  Enrollment,
  EnrollmentRevision,
  Credential,
  Event,
  OpenStream,
  Notification,
  IdempotencyKey,
];

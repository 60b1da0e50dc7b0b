import { Booking, CheckInCode, Review, ReviewDraft } from './booking.ts';
import { BusyBlock, CalendarFeed, CalendarImport } from './calendar.ts';
import { Credential, Enrollment, EnrollmentRevision } from './enrollment.ts';
import { Event, IdempotencyKey, Notification, OpenStream } from './event.ts';
import { Offer, OfferVersion } from './offer.ts';
import { Payment, PaymentMethod } from './payment.ts';
import { AvailabilityException, AvailabilityRule, CatalogueVersion, Place, Provider, ProviderService } from './provider.ts';
import { Candidate, Fact, Message, Request, Turn } from './request.ts';
import { Series, SeriesOccurrence } from './series.ts';
import { UserAccount } from './user.ts';

/** Every entity. The ORM and its migrations know only the entities of this list. */
export const entities = [
  UserAccount,
  Provider,
  ProviderService,
  AvailabilityRule,
  AvailabilityException,
  CalendarFeed,
  CalendarImport,
  BusyBlock,
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
  CheckInCode,
  Payment,
  PaymentMethod,
  Series,
  SeriesOccurrence,
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

import { bookingVerbRoutes } from './booking-verbs.ts';
import { bookingRoutes } from './booking.ts';
import { calendarFeedRoutes } from './calendar-feed.ts';
import { calendarImportRoutes } from './calendar-import.ts';
import { catalogueRoutes } from './catalogue.ts';
import { chatRoutes } from './chat.ts';
import { checkInCodeRoutes } from './check-in.ts';
import type { Feature } from '../http/deps.ts';
import { enrollmentRoutes } from './enrollment.ts';
import { leadRoutes } from './lead.ts';
import { meRoutes } from './me.ts';
import { offerRoutes } from './offer.ts';
import { paymentMethodRoutes } from './payment-method.ts';
import { exceptionRoutes } from './provider-exceptions.ts';
import { ownProviderRoutes } from './provider-me.ts';
import { slotRoutes } from './provider-slots.ts';
import { providerRoutes } from './provider.ts';
import { requestRoutes } from './request.ts';
import { reviewRoutes } from './review.ts';
import { seriesVerbRoutes } from './series-verbs.ts';
import { seriesRoutes } from './series.ts';

/** Every feature's routes, in the order of the OpenAPI tags. */
export const features: readonly Feature[] = [
  chatRoutes,
  requestRoutes,
  offerRoutes,
  leadRoutes,
  bookingRoutes,
  checkInCodeRoutes,
  bookingVerbRoutes,
  seriesRoutes,
  seriesVerbRoutes,
  // `me` before the id it would be taken for.
  ownProviderRoutes,
  exceptionRoutes,
  calendarFeedRoutes,
  calendarImportRoutes,
  providerRoutes,
  slotRoutes,
  enrollmentRoutes,
  reviewRoutes,
  catalogueRoutes,
  meRoutes,
  paymentMethodRoutes,
];

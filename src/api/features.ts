import { bookingRoutes } from './booking.ts';
import { catalogueRoutes } from './catalogue.ts';
import { chatRoutes } from './chat.ts';
import type { Feature } from './deps.ts';
import { enrollmentRoutes } from './enrollment.ts';
import { leadRoutes } from './lead.ts';
import { meRoutes } from './me.ts';
import { offerRoutes } from './offer.ts';
import { ownProviderRoutes } from './provider-me.ts';
import { providerRoutes } from './provider.ts';
import { requestRoutes } from './request.ts';
import { reviewRoutes } from './review.ts';

/** Every feature's routes, in the order of the OpenAPI tags. */
export const features: readonly Feature[] = [
  chatRoutes,
  requestRoutes,
  offerRoutes,
  leadRoutes,
  bookingRoutes,
  // `me` before the id it would be taken for.
  ownProviderRoutes,
  providerRoutes,
  enrollmentRoutes,
  reviewRoutes,
  catalogueRoutes,
  meRoutes,
];

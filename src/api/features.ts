import { bookingRoutes } from './booking.ts';
import { chatRoutes } from './chat.ts';
import type { Feature } from './deps.ts';
import { leadRoutes } from './lead.ts';
import { offerRoutes } from './offer.ts';
import { requestRoutes } from './request.ts';

/** Every feature's routes, in the order of the OpenAPI tags. */
export const features: readonly Feature[] = [chatRoutes, requestRoutes, offerRoutes, leadRoutes, bookingRoutes];

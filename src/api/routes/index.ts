import { bookingVerbRoutes } from './booking-verbs.ts';
import { bookingRoutes } from './booking.ts';
import { calendarFeedRoutes } from './calendar-feed.ts';
import { calendarImportRoutes } from './calendar-import.ts';
import { catalogueRoutes } from './catalogue.ts';
import { chatRoutes } from './chat.ts';
import { checkInCodeRoutes } from './check-in.ts';
import type { Section } from '../http/deps.ts';
import { enrollmentRoutes } from './enrollment.ts';
import type { EventHub } from '../http/event-hub.ts';
import { eventRoutes } from './events.ts';
import { guestRoutes } from './guest.ts';
import { leadRoutes } from './lead.ts';
import { meRoutes } from './me.ts';
import { offerRoutes } from './offer.ts';
import { operatorRoutes } from './operator.ts';
import { paymentMethodRoutes } from './payment-method.ts';
import { exceptionRoutes } from './provider-exceptions.ts';
import { ownProviderRoutes } from './provider-me.ts';
import { slotRoutes } from './provider-slots.ts';
import { providerRoutes } from './provider.ts';
import { requestRoutes } from './request.ts';
import { reviewRoutes } from './review.ts';
import { seriesVerbRoutes } from './series-verbs.ts';
import { seriesRoutes } from './series.ts';

/**
 * The OpenAPI document's tags, each with its features. The order follows a person who first needs a service and later becomes a
 * provider. The document, Swagger UI and the router use this order.
 */
export const sections = (hub: EventHub): readonly Section[] => [
  { tag: 'auth', description: 'A session for somebody without an account', features: [guestRoutes] },
  { tag: 'me', description: 'Who you are here: profile, inbox, payment method', features: [meRoutes, paymentMethodRoutes] },
  { tag: 'catalogue', description: 'What can be asked for, and which facts each service needs', features: [catalogueRoutes] },
  { tag: 'chat', description: 'Say what you need; the assistant asks for the rest', features: [chatRoutes] },
  { tag: 'requests', description: 'The same without a conversation: facts, an explicit yes, and who was asked', features: [requestRoutes] },
  { tag: 'leads', description: 'For providers: what you are invited to, and why', features: [leadRoutes] },
  { tag: 'offers', description: 'Terms go back and forth until one side accepts', features: [offerRoutes] },
  {
    tag: 'bookings',
    description: 'The agreed job: another slot, check-in, completion, cancellation, dispute',
    features: [bookingRoutes, checkInCodeRoutes, bookingVerbRoutes],
  },
  { tag: 'reviews', description: 'What each side says about the other afterwards', features: [reviewRoutes] },
  { tag: 'series', description: 'A booking that repeats', features: [seriesRoutes, seriesVerbRoutes] },
  { tag: 'events', description: 'Everything you may see, as it happens', features: [eventRoutes(hub)] },
  { tag: 'enrollments', description: 'Become a provider: application, checks, decision', features: [enrollmentRoutes] },
  {
    tag: 'providers',
    description: 'Providers as everybody sees them, their free slots, and your own profile as one',
    // `/providers/me` comes before `/providers/:id`, which would match it.
    features: [ownProviderRoutes, exceptionRoutes, providerRoutes, slotRoutes],
  },
  {
    tag: 'calendars',
    description: 'For providers: your bookings in your calendar app, and your own calendars here',
    features: [calendarFeedRoutes, calendarImportRoutes],
  },
  { tag: 'admin', description: 'For operators: intervene when something of a user is stuck', features: [operatorRoutes] },
];

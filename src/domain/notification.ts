// Every kind of notification: those that verbs cause, and those that runs send by themselves. The texts stand in
// src/integrations/mail.templates.ts.
import type { BookingNews } from './booking/machine.ts';
import type { EnrollmentNews } from './enrollment/machine.ts';
import type { ProviderNews } from './provider/types.ts';
import type { RequestNews } from './request/machine.ts';
import type { OfferNews } from './request/offer.ts';
import type { ReviewNews } from './review/machine.ts';
import type { SeriesNews } from './series/machine.ts';

export type NotificationKind = RequestNews | OfferNews | BookingNews | SeriesNews | ReviewNews | EnrollmentNews | ProviderNews;

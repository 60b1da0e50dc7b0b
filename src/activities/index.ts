import type { Client } from '@temporalio/client';
import type { TaskQueue } from '../contracts/queues.ts';
import type { Orm } from '../db/orm.ts';
import { publishedCalendars, type PublishedCalendars } from '../integrations/calendar/fetch.ts';
import { httpGuard } from '../integrations/http-guard.ts';
import { createInterpreter } from '../integrations/llm/create.ts';
import type { Payments } from '../integrations/payments.ts';
import { createPayments, type StripeConfig } from '../integrations/stripe/create.ts';
import { offlineVerification, type Verification } from '../integrations/verification.ts';
import { calendarImportActivities, type CalendarImportDeps } from './calendar-import.ts';
import { enrollmentActivities } from './enrollment.ts';
import { intakeActivities } from './intake.ts';
import { mailActivities, type MailDeps } from './mail.ts';
import { matchingActivities } from './matching.ts';
import { paymentActivities } from './payment.ts';
import { reconcileActivities } from './reconcile.ts';
import { reminderActivities } from './reminder.ts';
import { timelineActivities } from './timeline.ts';

export interface ActivityDeps extends MailDeps, Pick<CalendarImportDeps, 'calendarTiming'> {
  orm: Orm;
  temporal: Client;
  /** Checks credentials; offline by default. */
  verification?: Verification;
  /** Moves money; default: the provider that the configuration names. */
  payments?: Payments;
  /** Reads providers' own calendars; default: from their published addresses. */
  calendars?: PublishedCalendars;
  config: {
    llm: { apiKey?: string | undefined; baseUrl?: string | undefined; model: string; timeoutMs: number };
    mail: { smtpUrl?: string | undefined; from: string };
    outbound: { allowedOrigins: readonly string[] };
    payments: StripeConfig | undefined;
  };
}

/** Activities by their queue, so that quick ones never wait behind slow or external ones. */
export function activitiesByQueue(deps: ActivityDeps): Record<TaskQueue, object> {
  return {
    proxie: { ...timelineActivities(deps), ...matchingActivities(deps), ...reconcileActivities(deps), ...reminderActivities },
    'proxie-llm': intakeActivities({ interpreter: createInterpreter(deps.config.llm), ...deps }),
    'proxie-outbound': {
      ...enrollmentActivities({ verification: offlineVerification(), ...deps }),
      ...paymentActivities({ payments: createPayments(deps.config.payments), ...deps }),
      ...mailActivities(deps),
      ...calendarImportActivities({ calendars: publishedCalendars(httpGuard(deps.config.outbound)), ...deps }),
    },
  };
}

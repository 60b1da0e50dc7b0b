import type { Client } from '@temporalio/client';
import type { TaskQueue } from '../contracts/queues.ts';
import type { Orm } from '../db/orm.ts';
import { createInterpreter } from '../integrations/llm/create.ts';
import { offlineVerification, type Verification } from '../integrations/verification.ts';
import { enrollmentActivities } from './enrollment.ts';
import { intakeActivities } from './intake.ts';
import { mailActivities, type MailDeps } from './mail.ts';
import { matchingActivities } from './matching.ts';
import { reconcileActivities } from './reconcile.ts';
import { timelineActivities } from './timeline.ts';

export interface ActivityDeps extends MailDeps {
  orm: Orm;
  temporal: Client;
  /** Checks credentials; offline by default. */
  verification?: Verification;
  config: {
    llm: { apiKey?: string | undefined; baseUrl?: string | undefined; model: string; timeoutMs: number };
    mail: { smtpUrl?: string | undefined; from: string };
  };
}

/** Activities by the queue that serves them: what is slow or external never waits behind what is quick. */
export function activitiesByQueue(deps: ActivityDeps): Record<TaskQueue, object> {
  return {
    proxie: { ...timelineActivities(deps), ...matchingActivities(deps), ...reconcileActivities(deps) },
    'proxie-llm': intakeActivities({ interpreter: createInterpreter(deps.config.llm), ...deps }),
    'proxie-outbound': { ...enrollmentActivities({ verification: offlineVerification(), ...deps }), ...mailActivities(deps) },
  };
}

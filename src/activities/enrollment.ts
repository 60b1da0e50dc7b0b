import { cancellationSignal } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Orm } from '../db/orm.ts';
import { revisionDetails } from '../db/queries/enrollment.ts';
import { checkOf } from '../domain/enrollment/application.ts';
import type { CheckResult } from '../domain/enrollment/types.ts';
import type { Verification } from '../integrations/verification.ts';

export interface CheckApplicationInput {
  enrollmentId: string;
  revisionId: string;
}

export type EnrollmentActivities = ReturnType<typeof enrollmentActivities>;

export function enrollmentActivities({ orm, verification }: { orm: Orm; verification: Verification }) {
  return {
    /** Asks the vendor about every credential of one revision. The key names the claim, so that a repeated call opens no second case. */
    async checkApplication({ enrollmentId, revisionId }: CheckApplicationInput): Promise<CheckResult[]> {
      const details = await revisionDetails(orm.em.fork(), enrollmentId, revisionId);
      if (!details) throw ApplicationFailure.nonRetryable('the revision is gone', 'not_found');
      const signal = cancellationSignal();
      return Promise.all(
        (details.credentials ?? []).map(async ({ kind, category = null, reference, validUntil = null }) => {
          const check = checkOf({ kind, category: category ?? undefined });
          const key = `${revisionId}/${check}`;
          return { check, outcome: await verification.check({ key, kind, category, reference, validUntil }, signal) };
        }),
      );
    },
  };
}

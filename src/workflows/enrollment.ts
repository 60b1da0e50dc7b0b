// The run of one application to become a provider, from the first draft to an operator's decision. Every wait is on the folded state.
import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  isCancellation,
  log,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  upsertSearchAttributes,
  uuid4,
  workflowInfo,
} from '@temporalio/workflow';
import type { EnrollmentActivities } from '../activities/enrollment.ts';
import { type EnrollmentInput, enrollmentUpdates, enrollmentWorkflowId, verificationResult } from '../contracts/enrollment.messages.ts';
import { searchAttributes } from '../contracts/search-attributes.ts';
import { SYSTEM } from '../domain/actor.ts';
import { decideEnrollment } from '../domain/enrollment/decide.ts';
import { checkOutcomes, type CheckOutcome, type EnrollmentState } from '../domain/enrollment/types.ts';
import { actor } from './actor.ts';
import { alarm } from './alarm.ts';
import { describeEnrollment } from './details.ts';
import { receive } from './receive.ts';
import { isEventId } from '../domain/ids.ts';
import { checksThatAre, emptyEnrollment, enrollmentIsOver, evolveEnrollment, isWithApplicant } from '../domain/enrollment/evolve.ts';
import { enrollmentVerbs } from '../domain/enrollment/machine.ts';
import { answerPosition } from './position.ts';
import { streams } from './streams.ts';

export async function enrollmentWorkflow(input: EnrollmentInput): Promise<{ outcome: EnrollmentState['status'] }> {
  const { enrollmentId, applicantId, policy } = input;
  const run = streams();
  const enrollment = actor({
    run,
    stream: enrollmentWorkflowId(enrollmentId),
    initial: input.carried?.state ?? emptyEnrollment,
    seq: input.carried?.seq,
    decide: decideEnrollment,
    evolve: evolveEnrollment,
    onFold: (state) => setCurrentDetails(describeEnrollment(state)),
  });
  const timer = alarm();
  const { checkApplication } = proxyActivities<EnrollmentActivities>({
    taskQueue: 'proxie-outbound',
    startToCloseTimeout: '1m',
    scheduleToCloseTimeout: policy.checkSlaMs,
    retry: { initialInterval: '1s', maximumInterval: '10m', maximumAttempts: 500 },
  });
  const startedAt = input.carried?.seq ?? 0;
  let staged: string = enrollment.state.status;
  const opened = enrollment.act({ ...input, id: 'open', do: 'open', by: { id: applicantId, role: 'consumer' } });

  answerPosition(run);
  receive(enrollment, enrollmentVerbs, enrollmentUpdates);
  setHandler(verificationResult, (fact) => enrollment.commitFact(resultOf(fact)), {
    description: "a vendor's answer about one credential",
  });

  await opened;
  while (!enrollmentIsOver(enrollment.state)) {
    if (isWithApplicant(enrollment.state)) await writing();
    else if (enrollment.state.status === 'submitted')
      await enrollment.act({ id: `check/${enrollment.seq}`, do: 'beginChecks', by: SYSTEM });
    else if (enrollment.state.status === 'checking') await checking();
    else await deciding();
  }
  timer.disarm();
  stage();
  await condition(allHandlersFinished);
  return { outcome: enrollment.state.status };

  /** Runs until the application is submitted or withdrawn. Reminds once, and expires the draft after long silence. */
  async function writing(): Promise<void> {
    stage();
    while (isWithApplicant(enrollment.state)) {
      const { reminded } = enrollment.state;
      const full = () => workflowInfo().continueAsNewSuggested || enrollment.seq - startedAt >= policy.maxTurns;
      const stirred = () => !isWithApplicant(enrollment.state) || enrollment.state.reminded !== reminded || full();
      const inTime = await timer.until(
        stirred,
        () => idleDeadline(enrollment.state),
        reminded ? 'the draft expires' : 'reminder of the draft',
      );
      if (!inTime)
        await enrollment.act({
          id: `${reminded ? 'expire' : 'remind'}/${enrollment.seq}`,
          do: reminded ? 'expire' : 'remind',
          by: SYSTEM,
        });
      else if (full()) await continueWriting();
    }
    timer.disarm();
  }

  /** A vendor checks the credentials and answers at once or by Signal. If results take too long, an operator is called. */
  async function checking(): Promise<void> {
    const { revisionId } = enrollment.state;
    try {
      const results = await checkApplication.executeWithOptions({ summary: checksThatAre(enrollment.state, 'pending').join(', ') }, [
        { enrollmentId, revisionId: revisionId! },
      ]);
      await enrollment.commitFact({ id: `checked/${enrollment.seq}`, do: 'recordChecks', by: SYSTEM, results });
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
      log.error('the checks could not be asked for', { enrollmentId, error });
    }
    const checked = await timer.until(
      () => enrollment.state.status !== 'checking',
      () => Date.parse(enrollment.state.checksBy ?? ''),
      'the vendor answers',
    );
    if (!checked) {
      run.attention.flag('checks');
      await enrollment.act({ id: `escalate/${enrollment.seq}`, do: 'escalate', by: SYSTEM });
    }
    timer.disarm();
  }

  async function deciding(): Promise<void> {
    stage();
    await condition(() => enrollment.state.status !== 'in_review');
  }

  /** Updates the search attribute: one upsert per stage in which somebody waits. */
  function stage(): void {
    if (staged === enrollment.state.status) return;
    staged = enrollment.state.status;
    upsertSearchAttributes([{ key: searchAttributes.stage, value: staged }]);
  }

  async function continueWriting(): Promise<void> {
    await condition(() => allHandlersFinished() && run.idle());
    if (!isWithApplicant(enrollment.state)) return;
    await continueAsNew<typeof enrollmentWorkflow>({ ...input, carried: { state: enrollment.state, seq: enrollment.seq } });
  }

  function idleDeadline({ lastActivityAt, reminded }: EnrollmentState): number {
    return Date.parse(lastActivityAt) + (reminded ? policy.draftExpireMs : policy.draftRemindMs);
  }
}

/** Makes a command from a Signal. Nobody has validated the Signal: values that do not fit lead to a refusal on the timeline. */
function resultOf(fact: Partial<{ eventId: string; kind: string; category: string; outcome: CheckOutcome }> | undefined) {
  const { eventId, kind, category, outcome } = fact ?? {};
  const id = isEventId(eventId) ? eventId : uuid4();
  const check = category === undefined ? String(kind) : `${kind}/${category}`;
  const known = checkOutcomes.find((name) => name === outcome);
  return {
    id: `verification/${id}`,
    do: 'recordChecks' as const,
    by: SYSTEM,
    results: known ? [{ check, outcome: known }] : [{ check: 'unknown', outcome: 'pending' as const }],
  };
}

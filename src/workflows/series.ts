// The run of a repeated booking. The provider agrees once; then each occurrence is booked when its time is near enough. A series has at
// most 26 occurrences, each moved a few times at most, so no run grows long enough to continue as a new one.
import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  allHandlersFinished,
  condition,
  ParentClosePolicy,
  setCurrentDetails,
  startChild,
  upsertSearchAttributes,
  uuid4,
  WorkflowIdReusePolicy,
} from '@temporalio/workflow';
import { bookingWorkflowId } from '../contracts/booking.messages.ts';
import { fromFailure } from '../contracts/failures.ts';
import { runShape, searchAttributes } from '../contracts/search-attributes.ts';
import { type SeriesInput, seriesUpdates, seriesWorkflowId } from '../contracts/series.messages.ts';
import { SYSTEM } from '../domain/actor.ts';
import type { DomainError } from '../domain/errors.ts';
import { emptySeries, evolveSeries, nextSeriesStep, seriesIsOver, type SeriesStep } from '../domain/series/evolve.ts';
import { decideSeries } from '../domain/series/decide.ts';
import type { Occurrence, SeriesState } from '../domain/series/types.ts';
import { actor } from './actor.ts';
import { alarm } from './alarm.ts';
import { bookingWorkflow } from './booking.ts';
import { describeSeries } from './details.ts';
import { receive } from './receive.ts';
import { seriesVerbs } from '../domain/series/machine.ts';
import { answerPosition } from './position.ts';
import { streams } from './streams.ts';

export async function seriesWorkflow({ seriesId }: SeriesInput): Promise<{ status: SeriesState['status'] }> {
  const run = streams();
  const series = actor({
    run,
    stream: seriesWorkflowId(seriesId),
    initial: emptySeries,
    decide: decideSeries,
    evolve: evolveSeries,
    onFold: (state) => setCurrentDetails(describeSeries(state)),
  });
  const timer = alarm();
  /**
   * By start of an occurrence (RFC 3339): when the provider's calendar reaches that far, in milliseconds since the epoch. A new run does
   * not know these times and asks again.
   */
  const notBefore = new Map<string, number>();
  let staged: SeriesState['status'] = 'proposed';
  // The run reads its timeline before it decides the first command, which comes with the start of the run.
  void run.learn();

  answerPosition(run);
  receive(series, seriesVerbs, seriesUpdates);

  await condition(() => series.state.series !== null || run.idle());
  // Without a series in the state the proposal was refused, and nothing was written.
  while (series.state.series && !seriesIsOver(series.state)) await liveOn();
  stage();
  await condition(allHandlersFinished);
  return { status: series.state.status };

  /** Waits until the next step is due and takes it. Returns early when the next step changes. */
  async function liveOn(): Promise<void> {
    stage();
    const step = next()!;
    const changed = () => JSON.stringify(next()) !== JSON.stringify(step);
    if (!(await timer.until(changed, () => step.at, summaryOf(step)))) await take(step);
  }

  async function take(step: SeriesStep): Promise<void> {
    if (step.do === 'book') await book(step.n);
    else await series.act({ id: step.do, do: step.do, by: SYSTEM });
  }

  /** Books one occurrence. The slot and its place in the series are one transaction, so a rebuilt run finds both or neither. */
  async function book(n: number): Promise<void> {
    const { startsAt, moves } = occurrence(n);
    const id = `book/${n}/${moves}`;
    const refusal = fromFailure(await series.act({ id, do: 'bookOccurrence', by: SYSTEM, n, bookingId: uuid4() }));
    const { bookingId } = occurrence(n);
    if (bookingId) await startBooking(n, bookingId);
    else if (refusal?.detail.status === 'beyond_horizon') notBefore.set(startsAt, Date.now() + (refusal.detail.retryAfterS ?? 1) * 1000);
    else if (refusal) await miss(n, startsAt, refusal);
  }

  async function miss(n: number, startsAt: string, { code, detail: { alternatives } }: DomainError): Promise<void> {
    await series.act({ id: `miss/${n}/${series.seq}`, do: 'missOccurrence', by: SYSTEM, n, startsAt, code, alternatives });
  }

  /** Starts the booking's run. Its end concerns the two sides and not the series, so nobody waits for it here. */
  async function startBooking(n: number, bookingId: string): Promise<void> {
    const { service, consumerId, providerId } = series.state.series!;
    try {
      await startChild(bookingWorkflow, {
        workflowId: bookingWorkflowId(bookingId),
        args: [{ bookingId }],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        workflowIdReusePolicy: WorkflowIdReusePolicy.ALLOW_DUPLICATE,
        staticSummary: `Booking of ${service}, occurrence ${n} of a series`,
        typedSearchAttributes: [
          { key: searchAttributes.consumer, value: consumerId },
          { key: searchAttributes.provider, value: providerId },
          { key: searchAttributes.service, value: service },
          { key: searchAttributes.booking, value: [bookingId] },
          { key: searchAttributes.stage, value: 'confirmed' },
          { key: searchAttributes.shape, value: runShape },
        ],
      });
    } catch (error) {
      // The reconciler was faster.
      if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    }
  }

  /** Updates the search attribute that operators filter by. Each stage has its own deadlines, so the timer is disarmed. */
  function stage(): void {
    const { status } = series.state;
    if (staged === status) return;
    staged = status;
    timer.disarm();
    upsertSearchAttributes([{ key: searchAttributes.stage, value: status }]);
  }

  function next(): SeriesStep | null {
    return nextSeriesStep(series.state, notBefore);
  }

  function occurrence(n: number): Occurrence {
    return series.state.occurrences[n - 1]!;
  }
}

const summaryOf = (step: SeriesStep): string =>
  step.do === 'book'
    ? `occurrence ${step.n} comes into reach`
    : step.do === 'expire'
      ? 'the provider answers'
      : 'the last occurrence passes';

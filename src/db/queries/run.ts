// Which run answers for a stream, and how that run is started, both from the timelines alone.
import type { SearchAttributePair } from '@temporalio/common';
import { bookingWorkflowId, runOfBooking } from '../../contracts/booking.messages.ts';
import { searchAttributes } from '../../contracts/search-attributes.ts';
import type { BookingHeld } from '../../domain/booking/types.ts';
import type { EventBase, Recorded } from '../../domain/timeline.ts';
import type { Db } from '../orm.ts';
import { eventsOf } from '../timeline.ts';

type First = Recorded<EventBase>;

export interface RunStart {
  workflowType: string;
  args: [object];
  searchAttributes: SearchAttributePair[];
}

/** How to start the run of a noun from the first event of the stream that has the run's name. */
const starts: Record<string, { workflowType: string; input: readonly string[] }> = {
  request: { workflowType: 'requestWorkflow', input: ['requestId', 'consumerId', 'mode', 'catalogueVersion', 'policy'] },
  booking: { workflowType: 'bookingWorkflow', input: ['bookingId'] },
  series: { workflowType: 'seriesWorkflow', input: ['seriesId'] },
  enrollment: { workflowType: 'enrollmentWorkflow', input: ['enrollmentId', 'applicantId', 'policy'] },
};

/**
 * The workflow id of the run that answers for a stream. @param stream `<noun>/<id>`
 * @returns undefined for streams without a run, and for a booking that was never held
 */
export async function runOf(em: Db, stream: string): Promise<string | undefined> {
  const [noun, id] = stream.split('/') as [string, string];
  if (noun !== 'booking' && noun !== 'review') return starts[noun] && stream;
  const held = (await firstOf(em, bookingWorkflowId(id))) as (First & Partial<BookingHeld>) | undefined;
  return held?.requestId && runOfBooking({ id, requestId: held.requestId, ...(held.seriesId && { seriesId: held.seriesId }) });
}

/** How to start a run from its timelines. @param run workflow id @returns undefined when its stream has no event */
export async function startOf(em: Db, run: string): Promise<RunStart | undefined> {
  const first = await firstOf(em, run);
  const noun = starts[run.split('/')[0]!];
  if (!first || !noun) return undefined;
  const fields = first as unknown as Record<string, unknown>;
  const input = Object.fromEntries(noun.input.map((key) => [key, fields[key]]));
  return { workflowType: noun.workflowType, args: [input], searchAttributes: attributesOf(fields) };
}

const firstOf = async (em: Db, stream: string): Promise<First | undefined> => (await eventsOf(em, stream, 0, 1))[0];

/** Both sides and the service, if the first event names them. The run sets its stage itself. */
function attributesOf({ consumerId, applicantId, providerId, service }: Record<string, unknown>): SearchAttributePair[] {
  const pairs = [
    { key: searchAttributes.consumer, value: consumerId ?? applicantId },
    { key: searchAttributes.provider, value: providerId },
    { key: searchAttributes.service, value: service },
  ];
  return pairs.filter(({ value }) => value !== undefined) as SearchAttributePair[];
}

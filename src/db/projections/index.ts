import type { EventBase, EventMeta } from '../../domain/timeline.ts';
import type { Db } from '../orm.ts';
import { bookingProjectors } from './booking.ts';
import { enrollmentProjectors } from './enrollment.ts';
import { providerProjectors, reviewPostProjectors, userProjectors } from './provider.ts';
import { offersTogether } from './offer.ts';
import { requestProjectors } from './request.ts';
import { reviewProjectors } from './review.ts';
import { seriesProjectors } from './series.ts';

type AnyProjector = (tx: Db, event: never) => Promise<unknown>;

/** The projectors of a stream, by the noun at the start of its name. */
const projectorsByNoun: Record<string, Record<string, AnyProjector>> = {
  request: requestProjectors,
  booking: bookingProjectors,
  review: reviewProjectors,
  series: seriesProjectors,
  enrollment: enrollmentProjectors,
  provider: providerProjectors,
  user: userProjectors,
  'review-post': reviewPostProjectors,
};

/** Projectors that write neighbouring events of one type in one statement. */
const together: Record<string, (tx: Db, events: never[]) => Promise<unknown>> = offersTogether;

interface Written {
  stream: string;
  event: EventBase & EventMeta;
}

/**
 * Applies written events to the rows, in their order.
 * @throws Error for an event without a projector: that is a bug, and nothing is written
 */
export async function projectAll(tx: Db, written: readonly Written[]): Promise<void> {
  for (let first = 0; first < written.length;) {
    const { stream, event } = written[first]!;
    const many = together[event.type];
    const after = many
      ? written.findIndex((other, at) => at > first && (other.stream !== stream || other.event.type !== event.type))
      : first + 1;
    const group = written.slice(first, after === -1 ? written.length : after).map((one) => one.event);
    await (many ? many(tx, group as never[]) : project(tx, stream, event));
    first += group.length;
  }
}

async function project(tx: Db, stream: string, event: EventBase & EventMeta): Promise<void> {
  if (event.type === 'command.refused') return; // It stands on the timeline and changes no row.
  const [noun, id] = stream.split('/') as [string, string];
  const projector = projectorsByNoun[noun]?.[event.type];
  if (!projector) throw new Error(`no projector for ${noun} ${event.type}`);
  await projector(tx, { ...event, id } as never);
}

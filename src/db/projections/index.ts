import type { EventBase, EventMeta } from '../../domain/timeline.ts';
import type { Db } from '../orm.ts';
import { bookingProjectors } from './booking.ts';
import { enrollmentProjectors } from './enrollment.ts';
import { providerProjectors, reviewPostProjectors, userProjectors } from './own.ts';
import { requestProjectors } from './request.ts';
import { reviewProjectors } from './review.ts';

type AnyProjector = (tx: Db, event: never) => Promise<unknown>;

/** Which projectors serve a stream, by the noun its name begins with. */
const projectorsByNoun: Record<string, Record<string, AnyProjector>> = {
  request: requestProjectors,
  booking: bookingProjectors,
  review: reviewProjectors,
  enrollment: enrollmentProjectors,
  provider: providerProjectors,
  user: userProjectors,
  'review-post': reviewPostProjectors,
};

/** Applies one written event to the rows. @throws Error for an event nobody projects: that is a bug, and nothing is written */
export async function project(tx: Db, stream: string, event: EventBase & EventMeta): Promise<void> {
  if (event.type === 'command.refused') return; // stands on the timeline, changes nothing
  const [noun, id] = stream.split('/') as [string, string];
  const projector = projectorsByNoun[noun]?.[event.type];
  if (!projector) throw new Error(`no projector for ${noun} ${event.type}`);
  await projector(tx, { ...event, id } as never);
}

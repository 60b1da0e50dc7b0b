import { z } from 'zod';
import { Reason } from '../../contracts/common.ts';
import { MoveOccurrence, SeriesView } from '../../contracts/series.ts';
import { seriesUpdates, seriesWorkflowId } from '../../contracts/series.messages.ts';
import { seriesFor } from '../../db/queries/series.ts';
import { DomainError, type ErrorCode, invalid } from '../../domain/errors.ts';
import { chosenSlot } from '../../domain/calendar/local-time.ts';
import { occurrenceIsBooked } from '../../domain/series/decide.ts';
import { occurrenceCount } from '../../domain/series/types.ts';
import { asSide, type ApiActor } from '../http/auth.ts';
import type { Api } from '../http/deps.ts';
import { actorOf } from '../../domain/actor.ts';
import { verbRoute, verbRoutes } from '../http/verb-route.ts';
import { seriesVerbs } from '../../domain/series/machine.ts';

const seriesId = z.strictObject({ seriesId: z.uuid() });
const occurrence = z.strictObject({ ...seriesId.shape, n: z.coerce.number().int().min(1).max(occurrenceCount.max) });
const errors = ['not_found', 'not_owner', 'forbidden_role', 'invalid_transition', 'temporarily_unavailable'] as const satisfies ErrorCode[];

/** Registers the commands of the two sides about a series. */
export function seriesVerbRoutes(api: Api): void {
  const db = () => api.orm.em.fork();
  const common = {
    response: SeriesView,
    etag: ({ seq }: SeriesView) => seq,
    errors,
    load: (actor: ApiActor, params: { seriesId: string }) => seriesFor(db(), actor, params.seriesId),
    /** The same user may be the consumer of one series and the provider of another. */
    by: (actor: ApiActor, { consumer, provider }: SeriesView) =>
      actorOf(asSide(actor, { consumerId: consumer.id, providerId: provider.id })),
    workflowId: ({ id }: SeriesView) => seriesWorkflowId(id),
    read: (actor: ApiActor, params: { seriesId: string }) => seriesFor(db(), actor, params.seriesId),
  };
  const series = {
    ...common,
    params: seriesId,
    fields: () => ({}),
    closed: async (actor: ApiActor, params: { seriesId: string }) => isOver(await common.read(actor, params)),
  };
  const occurrences = {
    ...common,
    params: occurrence,
    fields: ({ n }: { n: number }) => ({ n }),
    async closed(actor: ApiActor, params: { seriesId: string; n: number }, verb: string) {
      const view = await common.read(actor, params);
      const booking = view.occurrences.find(({ n }) => n === params.n)?.booking;
      return booking ? occurrenceIsBooked(booking.id, verb === 'skipOccurrence' ? 'skip' : 'move') : isOver(view);
    },
  };
  verbRoutes(api, series, seriesVerbs, seriesUpdates, {
    skipOccurrence: (verb) => verbRoute(api, occurrences, verb, { body: Reason, fields: ({ params: { n } }) => ({ n }) }),
    moveOccurrence: (verb) =>
      verbRoute(api, occurrences, verb, {
        body: MoveOccurrence,
        fields: ({ params: { n }, body, thing }) => ({ n, startsAt: newStart(thing, n, body) }),
      }),
  });
}

/** The new start of one occurrence, RFC 3339 UTC. @throws not_found, validation_failed for another length, local_time_gap */
function newStart(view: SeriesView, n: number, choice: z.output<typeof MoveOccurrence>): string {
  const found = view.occurrences.find((one) => one.n === n);
  if (!found) throw new DomainError('not_found', 'This series has no such occurrence.');
  const { startsAt, endsAt } = chosenSlot(choice, found.slot);
  if (lengthOf({ startsAt, endsAt }) !== lengthOf(found.slot)) throw invalid('/slot/endsAt', 'must keep the length');
  return startsAt;
}

const isOver = ({ status }: SeriesView): DomainError =>
  new DomainError('invalid_transition', `The series is ${status}.`, { status, allowed: [] });

const lengthOf = ({ startsAt, endsAt }: { startsAt: string; endsAt: string }) => Date.parse(endsAt) - Date.parse(startsAt);

import type { UpdateDefinition } from '@temporalio/common';
import { z } from 'zod';
import { Reason } from '../../contracts/common.ts';
import { MoveOccurrence, SeriesView } from '../../contracts/series.ts';
import {
  acceptSeries,
  declineSeries,
  endSeries,
  moveOccurrence,
  seriesWorkflowId,
  skipOccurrence,
} from '../../contracts/series.messages.ts';
import { seriesFor } from '../../db/queries/series.ts';
import { DomainError, type ErrorCode, invalid } from '../../domain/errors.ts';
import { chosenSlot } from '../../domain/calendar/local-time.ts';
import { occurrenceIsBooked } from '../../domain/series/decide.ts';
import { occurrenceCount } from '../../domain/series/types.ts';
import { asSide, type ApiActor } from '../http/auth.ts';
import type { Api } from '../http/deps.ts';
import { route } from '../http/route.ts';
import type { CommandAnswer, CommandMeta } from '../../domain/command.ts';
import { actorOf } from '../../domain/actor.ts';

const seriesId = z.strictObject({ seriesId: z.uuid() });
const occurrence = z.strictObject({ ...seriesId.shape, n: z.coerce.number().int().min(1).max(occurrenceCount.max) });
const errors = ['not_found', 'not_owner', 'forbidden_role', 'invalid_transition', 'temporarily_unavailable'] as const satisfies ErrorCode[];

/** What the two sides do with a series. */
export function seriesCommandRoutes(api: Api): void {
  const common = { method: 'post', auth: ['consumer', 'provider'], response: SeriesView, etag: ({ seq }: SeriesView) => seq } as const;

  for (const { verb, update, summary, description, more } of [
    { verb: 'accept', update: acceptSeries, summary: 'Provider: one yes to every occurrence', description: undefined, more: ['too_late'] },
    { verb: 'decline', update: declineSeries, summary: 'Provider: no', description: undefined, more: [] },
    {
      verb: 'end',
      update: endSeries,
      summary: 'Either side: nothing more is booked',
      description:
        'What is booked already stays booked: cancel those bookings one by one. The consumer takes a proposal back with it, too.',
      more: [],
    },
  ] as const) {
    route(
      api,
      {
        ...common,
        path: `/series/:seriesId/${verb}`,
        summary,
        ...(description && { description }),
        params: seriesId,
        body: Reason,
        errors: [...errors, ...more],
      },
      async ({ params, body, actor, commandId, signal }) => {
        const { by } = await sideIn(actor, params.seriesId);
        return send(actor, params.seriesId, { update, command: { id: commandId, by, ...body }, signal });
      },
    );
  }

  route(
    api,
    {
      ...common,
      path: '/series/:seriesId/occurrences/:n/skip',
      summary: 'Consumer: leave one occurrence out',
      description: 'Before it is booked. Once it is, its booking is cancelled like any other.',
      params: occurrence,
      body: Reason,
      errors,
    },
    async ({ params: { seriesId: id, n }, body, actor, commandId, signal }) => {
      const { by } = await sideIn(actor, id);
      return send(actor, id, { update: skipOccurrence, command: { id: commandId, by, n, ...body }, of: { n, move: 'skip' }, signal });
    },
  );

  route(
    api,
    {
      ...common,
      path: '/series/:seriesId/occurrences/:n/move',
      summary: 'Consumer: another time for one occurrence',
      description:
        'Before it is booked, and also when it could not be; it stays between its neighbours and keeps its length. Once it is booked, its booking is rescheduled.',
      params: occurrence,
      body: MoveOccurrence,
      errors: [...errors, 'validation_failed', 'local_time_gap', 'slot_taken', 'outside_slot_rules', 'reschedule_limit'],
    },
    async ({ params: { seriesId: id, n }, body: { reason, ...choice }, actor, commandId, signal }) => {
      const { by, view } = await sideIn(actor, id);
      const found = view.occurrences.find((one) => one.n === n);
      if (!found) throw new DomainError('not_found', 'This series has no such occurrence.');
      const { startsAt, endsAt } = chosenSlot(choice, found.slot);
      if (lengthOf({ startsAt, endsAt }) !== lengthOf(found.slot)) {
        throw invalid('/slot/endsAt', 'must keep the length');
      }
      return send(actor, id, {
        update: moveOccurrence,
        command: { id: commandId, by, reason, n, startsAt },
        of: { n, move: 'move' },
        signal,
      });
    },
  );

  /** Somebody may be a consumer here and a provider there. @throws not_found, not_owner */
  async function sideIn(actor: ApiActor, id: string) {
    const view = await seriesFor(api.orm.em.fork(), actor, id);
    return { view, by: actorOf(asSide(actor, { consumerId: view.consumer.id, providerId: view.provider.id })) };
  }

  async function send<C extends CommandMeta>(
    actor: ApiActor,
    id: string,
    { of, ...command }: { update: UpdateDefinition<CommandAnswer, [C], string>; command: C; of?: OccurrenceMove; signal: AbortSignal },
  ): Promise<SeriesView> {
    await api.commands.send({ workflowId: seriesWorkflowId(id), closed: () => over(actor, id, of), ...command });
    return seriesFor(api.orm.em.fork(), actor, id);
  }

  async function over(actor: ApiActor, id: string, of?: OccurrenceMove): Promise<DomainError> {
    const { status, occurrences } = await seriesFor(api.orm.em.fork(), actor, id);
    const booking = of && occurrences.find(({ n }) => n === of.n)?.booking;
    if (booking) return occurrenceIsBooked(booking.id, of.move);
    return new DomainError('invalid_transition', `The series is ${status}.`, { status, allowed: [] });
  }
}

interface OccurrenceMove {
  n: number;
  move: 'skip' | 'move';
}

const lengthOf = ({ startsAt, endsAt }: { startsAt: string; endsAt: string }) => Date.parse(endsAt) - Date.parse(startsAt);

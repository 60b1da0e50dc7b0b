import { z } from 'zod';
import { runOfBooking } from '../../contracts/booking.messages.ts';
import { idFrom } from '../../contracts/ids.ts';
import { PublicReview, ReplyToReview, ReportReview, ReviewView, SubmitReview } from '../../contracts/review.ts';
import { reviewUpdates, reviewWorkflowId } from '../../contracts/review.messages.ts';
import { sql } from '../../db/orm.ts';
import { change } from '../../db/change.ts';
import { bookingFor } from '../../db/queries/booking.ts';
import { dropStagedReview, reviewBy, reviewById, reviewsOf, stageReview, toReviewView, type ReviewRow } from '../../db/queries/review.ts';
import { DomainError } from '../../domain/errors.ts';
import type { ReviewPostEvent } from '../../domain/provider/types.ts';
import { isPassing } from '../http/problem-guide.ts';
import { asSide } from '../http/auth.ts';
import { pageOf, PageQuery } from '../http/cursor.ts';
import type { Api } from '../http/deps.ts';
import { reply, route } from '../http/route.ts';
import { actorOf } from '../../domain/actor.ts';

const reviewId = z.strictObject({ reviewId: z.uuid() });
const sides = ['consumer', 'provider'] as const;
/** Statuses in which a booking can be reviewed: the job took place, also when the sides argue about it afterwards. */
const reviewable: readonly string[] = ['completed', 'disputed', 'settled'];

export function reviewRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      method: 'post',
      path: '/bookings/:bookingId/review',
      summary: 'Review the other side of a completed booking',
      description: 'Once per side. Both reviews are published together: when the second is in, or when the time is up.',
      auth: sides,
      params: z.strictObject({ bookingId: z.uuid() }),
      body: SubmitReview,
      response: ReviewView,
      status: 201,
      errors: ['not_found', 'not_owner', 'forbidden_role', 'invalid_transition', 'already_reviewed', 'temporarily_unavailable'],
    },
    async ({ params: { bookingId }, body, actor, commandId, signal }) => {
      const booking = await bookingFor(db(), actor, bookingId);
      const { status, consumer, provider } = booking;
      if (!reviewable.includes(status)) throw new DomainError('invalid_transition', `The booking is ${status}.`, { status, allowed: [] });
      const by = actorOf(asSide(actor, { consumerId: consumer.id, providerId: provider.id }));
      const id = idFrom(commandId, 'review');
      await stageReview(db(), { id, bookingId, authorId: actor.id, text: body.text });
      try {
        await api.commands.send({
          workflowId: runOfBooking(booking),
          stream: reviewWorkflowId(bookingId),
          update: reviewUpdates.submitReview,
          command: { id: commandId, by, bookingId, reviewId: id, rating: body.rating },
          closed: () => afterTheEnd(actor.id, bookingId),
          signal,
        });
      } catch (error) {
        if (error instanceof DomainError && !isPassing(error.code)) await dropStagedReview(db(), id);
        throw error;
      }
      return reply(201, toReviewView((await reviewBy(db(), actor.id, bookingId))!), {
        location: `/api/v1/providers/${provider.id}/reviews`,
      });
    },
  );

  async function afterTheEnd(actorId: string, bookingId: string): Promise<DomainError> {
    const written = await reviewBy(db(), actorId, bookingId);
    return written
      ? new DomainError('already_reviewed')
      : new DomainError('invalid_transition', 'The time for reviews is over.', { status: 'closed', allowed: [] });
  }

  route(
    api,
    {
      method: 'get',
      path: '/providers/:providerId/reviews',
      summary: 'Published reviews of a provider, newest first',
      auth: 'public',
      params: z.strictObject({ providerId: z.uuid() }),
      query: PageQuery,
      response: pageOf(PublicReview),
      cache: 'public, max-age=60',
      errors: [],
    },
    async ({ params: { providerId }, query: { limit, cursor } }) => {
      const scope = JSON.stringify(['reviews', providerId]);
      const rows = await reviewsOf(db(), providerId, { limit, after: api.cursors.open(scope, cursor) });
      return api.cursors.page(scope, rows, limit, ({ publishedAt, id }) => [publishedAt, id]);
    },
  );

  const published = (review: ReviewRow | undefined, readers: (review: ReviewRow) => string[], actorId: string): ReviewRow => {
    if (!review || review.status !== 'published') throw new DomainError('not_found');
    if (!readers(review).includes(actorId)) throw new DomainError('not_owner');
    return review;
  };

  route(
    api,
    {
      method: 'post',
      path: '/reviews/:reviewId/reply',
      summary: 'Answer a review about you, once and in public',
      auth: ['provider', 'consumer'],
      params: reviewId,
      body: ReplyToReview,
      response: ReviewView,
      errors: ['not_found', 'not_owner', 'invalid_transition'],
    },
    async ({ params: { reviewId: id }, body, actor, commandId }) => {
      await change(api.orm, {
        stream: `review-post/${id}`,
        command: { id: commandId, by: actorOf(actor) },
        async work(tx) {
          const review = published(await reviewById(tx, id), ({ subjectId }) => [subjectId], actor.id);
          if (review.reply !== null)
            throw new DomainError('invalid_transition', 'You have answered it already.', { status: 'replied', allowed: [] });
          await sql(tx, 'update review set reply = ? where id = ?', [body.text, id]);
          return [{ type: 'review.replied', audience: [review.authorId, review.subjectId] } satisfies ReviewPostEvent];
        },
      });
      return toReviewView((await reviewById(db(), id))!);
    },
  );

  route(
    api,
    {
      method: 'post',
      path: '/reviews/:reviewId/report',
      summary: 'Tell an operator that a review should not be there',
      auth: ['provider', 'consumer'],
      params: reviewId,
      body: ReportReview,
      errors: ['not_found', 'not_owner'],
    },
    async ({ params: { reviewId: id }, body, actor, commandId }) => {
      await change(api.orm, {
        stream: `review-post/${id}`,
        command: { id: commandId, by: actorOf(actor) },
        async work(tx) {
          const review = published(await reviewById(tx, id), ({ subjectId, authorId }) => [subjectId, authorId], actor.id);
          await sql(tx, 'update review set reported = true where id = ?', [review.id]);
          return [{ type: 'review.reported', code: body.reason, audience: [actor.id] } satisfies ReviewPostEvent];
        },
      });
      return undefined;
    },
  );
}

import { DomainError } from '../../domain/errors.ts';
import type { ReviewEvent } from '../../domain/review/types.ts';
import { sql } from '../orm.ts';
import type { Projectors } from './move.ts';
import { nothing } from './move.ts';

export const reviewProjectors = {
  'review.opened': nothing,
  // Copies the staged text into the review and deletes the staged row.
  'review.submitted': async (tx, { reviewId, bookingId, side, authorId, subjectId, rating, at }) => {
    const written = await sql(
      tx,
      `with staged as (delete from review_draft where id = ? and author_id = ? returning text)
       insert into review (id, booking_id, author_id, author_role, subject_id, rating, text, created_at)
       select ?, ?, ?, ?, ?, ?, text, ? from staged on conflict do nothing returning id`,
      [reviewId, authorId, reviewId, bookingId, authorId, side, subjectId, rating, at],
    );
    if (written.length === 0) throw new DomainError('not_found', 'The text of this review was never stored.');
  },
  'review.opted_out': nothing,
  'review.reminded': nothing,
  'review.published': (tx, { bookingId, at }) =>
    sql(
      tx,
      `with published as (
         update review set status = 'published', published_at = ? where booking_id = ? and status = 'submitted' returning author_role, subject_id, rating)
       update provider p set rating_sum = rating_sum + rating, rating_count = rating_count + 1
       from published where author_role = 'consumer' and p.id = subject_id`,
      [at, bookingId],
    ),
  'review.closed': nothing,
} satisfies Projectors<ReviewEvent>;

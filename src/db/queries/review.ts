import type { PublicReview, ReviewView } from '../../contracts/review.ts';
import { sql, type Db } from '../orm.ts';
import { instantText, type PageInput } from './page.ts';

/** Stores a review's text before its id goes to a run. Storing the same review again changes nothing. */
export async function stageReview(
  em: Db,
  { id, bookingId, authorId, text }: { id: string; bookingId: string; authorId: string; text: string },
): Promise<void> {
  await sql(em, 'insert into review_draft (id, booking_id, author_id, text) values (?, ?, ?, ?) on conflict do nothing', [
    id,
    bookingId,
    authorId,
    text,
  ]);
}

/** Deletes the text of a refused review. */
export async function dropStagedReview(em: Db, id: string): Promise<void> {
  await sql(em, 'delete from review_draft where id = ?', [id]);
}

export interface ReviewRow extends ReviewView {
  authorId: string;
  subjectId: string;
}

const selectReviews = `
  select r.id, r.booking_id as "bookingId", r.author_role as by, r.author_id as "authorId", r.subject_id as "subjectId", r.status, r.rating, r.text, r.reply,
    ${instantText('r.created_at')} as "createdAt", ${instantText('r.published_at')} as "publishedAt"
  from review r`;

export async function reviewById(em: Db, id: string): Promise<ReviewRow | undefined> {
  const [row] = await sql<ReviewRow>(em, `${selectReviews} where r.id = ?`, [id]);
  return row;
}

/** The review that a user wrote about a booking. */
export async function reviewBy(em: Db, authorId: string, bookingId: string): Promise<ReviewRow | undefined> {
  const [row] = await sql<ReviewRow>(em, `${selectReviews} where r.booking_id = ? and r.author_id = ?`, [bookingId, authorId]);
  return row;
}

export const toReviewView = ({ authorId: _author, subjectId: _subject, ...view }: ReviewRow): ReviewView => view;

/** Published reviews of a provider by consumers, newest first. */
export async function reviewsOf(em: Db, providerId: string, { limit, after }: PageInput): Promise<PublicReview[]> {
  return sql<PublicReview>(
    em,
    `select id, rating, text, reply, ${instantText('published_at')} as "publishedAt" from review
     where subject_id = ? and author_role = 'consumer' and status = 'published' ${after ? 'and (published_at, id) < (?::timestamptz, ?::uuid)' : ''}
     order by published_at desc, id desc limit ?`,
    [providerId, ...(after ?? []), limit + 1],
  );
}

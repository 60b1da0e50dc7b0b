// Dated exceptions of one provider, as the provider sees them.
import type { ExceptionView } from '../../contracts/calendar.ts';
import { DomainError } from '../../domain/errors.ts';
import { sql, type Db } from '../orm.ts';
import type { PageInput } from './page.ts';

type Row = Omit<ExceptionView, 'seq' | 'links'>;

const columns = `'id', x.id, 'kind', x.kind, 'fromDate', x.from_date, 'toDate', x.to_date, 'startMinute', x.start_minute, 'endMinute', x.end_minute, 'reason', x.reason`;
const position = "(select coalesce(max(seq), 0)::int from event where stream = 'provider/' || p.id)";

const toView = (row: Row, seq: number): ExceptionView => ({ ...row, seq, links: { self: `/api/v1/providers/me/exceptions/${row.id}` } });

/**
 * Exceptions by date, up to `limit + 1` of them; `after` is `[fromDate, startMinute or -1, id]`.
 * @param from leaves out exceptions that are over on this local date
 * @throws not_found when the user is no provider
 */
export async function listExceptions(
  em: Db,
  providerId: string,
  { limit, after, from }: PageInput & { from?: string | undefined },
): Promise<{ items: ExceptionView[]; seq: number }> {
  const [row] = await sql<{ items: Row[]; seq: number }>(
    em,
    `select ${position} as seq, coalesce((select jsonb_agg(jsonb_build_object(${columns}) order by x.from_date, coalesce(x.start_minute, -1), x.id)
       from (select * from availability_exception x where x.provider_id = p.id and x.to_date >= coalesce(?::date, x.to_date)
           ${after ? 'and (x.from_date, coalesce(x.start_minute, -1), x.id) > (?::date, ?::int, ?::uuid)' : ''}
         order by x.from_date, coalesce(x.start_minute, -1), x.id limit ?) x), '[]') as items
     from provider p where p.id = ?`,
    [from ?? null, ...(after ?? []), limit + 1, providerId],
  );
  if (!row) throw new DomainError('not_found', 'You are not a provider yet: apply first.');
  return { items: row.items.map((item) => toView(item, row.seq)), seq: row.seq };
}

/** @throws not_found, also for an exception of another provider */
export async function exceptionById(em: Db, providerId: string, id: string): Promise<ExceptionView> {
  const [row] = await sql<{ item: Row; seq: number }>(
    em,
    `select ${position} as seq, jsonb_build_object(${columns}) as item from availability_exception x join provider p on p.id = x.provider_id
     where x.id = ? and p.id = ?`,
    [id, providerId],
  );
  if (!row) throw new DomainError('not_found');
  return toView(row.item, row.seq);
}

export async function zoneOf(em: Db, providerId: string): Promise<string> {
  const [row] = await sql<{ zone: string }>(em, 'select zone from provider where id = ?', [providerId]);
  return row!.zone;
}

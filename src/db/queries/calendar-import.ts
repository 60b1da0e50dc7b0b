import type { Interval } from '../../domain/calendar/availability.ts';
import { sql, type Db, type Orm } from '../orm.ts';
import { inTransaction } from '../transaction.ts';
import { instantText } from './page.ts';
import type { ImportFault } from '../../domain/calendar/import.ts';
import { importFaults } from '../../domain/calendar/import.ts';
import type { CalendarImportView } from '../../contracts/calendar-import.ts';

interface ImportRow extends Omit<CalendarImportView, 'host' | 'status' | 'fault'> {
  url: string;
  fault: ImportFault | null;
}

/** A provider's imported calendars, ordered by name. */
export async function listImports(em: Db, providerId: string): Promise<CalendarImportView[]> {
  const rows = await sql<ImportRow>(
    em,
    `select i.name, i.url, i.fault, i.failures, ${instantText('i.last_read_at')} as "lastReadAt", ${instantText('i.next_try_at')} as "nextTryAt",
       (select count(*)::int from busy_block b where b.import_id = i.id) as "busyTimes"
     from calendar_import i where i.provider_id = ? order by i.name`,
    [providerId],
  );
  return rows.map(({ url, fault, ...row }) => ({
    ...row,
    host: new URL(url).host,
    status: fault ? 'failing' : row.lastReadAt ? 'read' : 'waiting',
    fault: fault && { code: fault, title: importFaults[fault] },
  }));
}

/**
 * Stores a calendar's address under a name. The calendar is due at once. Busy times from an earlier address count until the new
 * address has been read.
 * @param id UUID for a new import; an import of this name keeps its own id
 * @returns the id of the import, and whether the address has changed (a new import counts as changed)
 */
export async function putImport(
  tx: Db,
  providerId: string,
  { id, name, url }: { id: string; name: string; url: string },
): Promise<{ id: string; changed: boolean }> {
  const [row] = await sql<{ id: string; changed: boolean }>(
    tx,
    `with before as (select url from calendar_import where provider_id = ? and name = ?)
     insert into calendar_import as i (id, provider_id, name, url, next_try_at) values (?, ?, ?, ?, now())
     on conflict (provider_id, name) do update set url = excluded.url, next_try_at = now(), ${['fault', 'told_at', 'last_read_at', 'parsed_at'].map(ifSame).join(', ')},
       failures = case when i.url = excluded.url then i.failures else 0 end
     returning id, url is distinct from (select url from before) as changed`,
    [providerId, name, id, providerId, name, url],
  );
  return row!;
}

/** SQL that keeps a column only while the address stays the same; another address sets the column to null. */
const ifSame = (column: string) => `${column} = case when i.url = excluded.url then i.${column} end`;

/** Deletes an import and its busy times. @returns the id of the import, or undefined when there is none of this name */
export async function removeImport(tx: Db, providerId: string, name: string): Promise<string | undefined> {
  const [row] = await sql<{ id: string }>(tx, 'delete from calendar_import where provider_id = ? and name = ? returning id', [
    providerId,
    name,
  ]);
  return row?.id;
}

export interface DueImport {
  id: string;
  providerId: string;
  url: string;
  /** The provider's current IANA zone. */
  zone: string;
  /** Failed readings in a row. */
  failures: number;
  /** Whether the provider has been told about the current fault. */
  told: boolean;
  /** HTTP validators of the version that the busy times come from; null when the whole calendar has to be read again. */
  known: { etag: string | null; lastModified: string | null } | null;
}

/** Milliseconds since the epoch. Null: the clock of the database, which is the same for all workers. */
type Now = number | null;
const clock = 'coalesce(to_timestamp(?::float8 / 1000), now())';

/**
 * An unchanged calendar is read as a whole again after this time: the busy times of an endless series move on with the days.
 * The same happens when the provider's zone has changed.
 */
const wholeAgainAfter = '1 day';

/**
 * Claims up to `limit` due calendars, or only the calendar `importId` if it is due. No other worker can claim them for `leaseMs`
 * milliseconds. Calendars of a worker that dies become due again after that time.
 */
export async function takeImports(
  em: Db,
  { limit, leaseMs, importId, now }: { limit: number; leaseMs: number; importId: string | undefined; now: Now },
): Promise<DueImport[]> {
  return sql<DueImport>(
    em,
    `with due as (
       select i.id from calendar_import i join provider p on p.id = i.provider_id
       where i.next_try_at <= ${clock} and p.status in ('active', 'paused') and (?::uuid is null or i.id = ?)
       order by i.next_try_at limit ? for update of i skip locked)
     update calendar_import i set next_try_at = ${clock} + ? * interval '1 ms'
     from due, provider p where i.id = due.id and p.id = i.provider_id
     returning i.id, i.provider_id as "providerId", i.url, p.zone, i.failures, i.told_at is not null as told,
       case when i.zone = p.zone and i.parsed_at > ${clock} - interval '${wholeAgainAfter}' and coalesce(i.etag, i.last_modified) is not null
         then jsonb_build_object('etag', i.etag, 'lastModified', i.last_modified) end as known`,
    [now, importId ?? null, importId ?? null, limit, now, leaseMs, now],
  );
}

/** The next reading of a calendar is due `againInMs` milliseconds after `now`. */
interface Again {
  againInMs: number;
  now: Now;
}

/**
 * Replaces the busy times of an import in one transaction. The provider's row is locked, so that a hold sees all new times or
 * none. Nothing is written when the address was changed or removed in the meantime.
 * @param busy intervals in milliseconds since the epoch
 */
export async function storeBusy(
  orm: Orm,
  { id, providerId, url, zone }: DueImport,
  { busy, etag, lastModified }: { busy: Interval[]; etag: string | null; lastModified: string | null },
  { againInMs, now }: Again,
): Promise<void> {
  await inTransaction(orm, async (tx) => {
    await sql(tx, 'select 1 from provider where id = ? for no key update', [providerId]);
    const stillWanted = await sql(
      tx,
      `update calendar_import set last_read_at = ${clock}, parsed_at = ${clock}, zone = ?, etag = ?, last_modified = ?, fault = null, failures = 0,
         told_at = null, next_try_at = ${clock} + ? * interval '1 ms'
       where id = ? and url = ? returning 1`,
      [now, now, zone, etag, lastModified, now, againInMs, id, url],
    );
    if (stillWanted.length === 0) return;
    // Rows of unchanged times are not rewritten: most readings change nothing.
    await sql(
      tx,
      `with fresh as (
         select tstzrange(to_timestamp((block ->> 0)::float8 / 1000), to_timestamp((block ->> 1)::float8 / 1000)) as during
         from jsonb_array_elements(?::jsonb) as block),
       gone as (delete from busy_block where import_id = ? and during not in (select during from fresh))
       insert into busy_block (import_id, provider_id, during) select ?, ?, during from fresh on conflict do nothing`,
      [JSON.stringify(busy.map(({ start, end }) => [start, end])), id, id, providerId],
    );
  });
}

/** Records a reading in which the calendar's server reported no change. */
export async function markUnchanged(em: Db, { id, url }: DueImport, { againInMs, now }: Again): Promise<void> {
  await sql(
    em,
    `update calendar_import set last_read_at = ${clock}, fault = null, failures = 0, told_at = null, next_try_at = ${clock} + ? * interval '1 ms'
     where id = ? and url = ?`,
    [now, now, againInMs, id, url],
  );
}

/** Records a failed reading. The busy times stay unchanged. */
export async function markFailed(em: Db, { id, url }: DueImport, fault: ImportFault, { againInMs, now }: Again): Promise<void> {
  await sql(
    em,
    `update calendar_import set fault = ?, failures = failures + 1, next_try_at = ${clock} + ? * interval '1 ms' where id = ? and url = ?`,
    [fault, now, againInMs, id, url],
  );
}

/** Claims the right to tell the provider about the fault. @returns false when the provider was already told or the fault is gone */
export async function markTold(tx: Db, { id, url }: DueImport): Promise<boolean> {
  const rows = await sql(
    tx,
    'update calendar_import set told_at = now() where id = ? and url = ? and told_at is null and fault is not null returning 1',
    [id, url],
  );
  return rows.length > 0;
}

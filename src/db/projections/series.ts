import { serviceOf } from '../../domain/intake/catalogue.ts';
import { DomainError } from '../../domain/errors.ts';
import { occurrenceMachine, seriesMachine } from '../../domain/series/machine.ts';
import type { SeriesEvent } from '../../domain/series/types.ts';
import { Series } from '../entities/series.ts';
import { sql, type Db } from '../orm.ts';
import { checkCalendar } from '../slot/check.ts';
import { loadCatalogue } from '../queries/catalogue.ts';
import { move, rangeOf, type Projectors } from './move.ts';
import { iso } from '../../domain/time.ts';

/** `id` is the id of the series, taken from its stream. */
export const seriesProjectors = {
  'series.proposed': async (tx, event) => {
    const { id, bookingId, consumerId, providerId, service, everyWeeks, zone, price, currency, expiresAt, at } = event;
    const slots = event.starts.map((startsAt) => slotFrom(startsAt, event.durationMinutes));
    await assertNotHopeless(tx, { providerId, service }, slots[0]!, at);
    await sql(
      tx,
      `insert into series (id, booking_id, consumer_id, provider_id, service_code, every_weeks, zone, price, currency, expires_at, created_at)
       values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      [id, bookingId, consumerId, providerId, service, everyWeeks, zone, price, currency, expiresAt, at],
    );
    await sql(
      tx,
      `insert into series_occurrence (series_id, n, during)
       select ?, n, during::tstzrange from jsonb_array_elements_text(?::jsonb) with ordinality as o(during, n)`,
      [id, JSON.stringify(slots.map(({ startsAt, endsAt }) => rangeOf(startsAt, endsAt)))],
    );
  },
  'series.accepted': (tx, { id }) => move(tx, Series, seriesMachine, id, 'accept'),
  'series.declined': (tx, { id, at }) => end(tx, id, 'decline', at),
  'series.expired': (tx, { id, at }) => end(tx, id, 'expire', at),
  'series.ended': (tx, { id, code, at }) => end(tx, id, 'end', at, code),
  'series.occurrence_booked': async (tx, { id, n, bookingId, endsAt }) => {
    await assertLicensed(tx, await takerOf(tx, id), endsAt);
    await moveOccurrence(tx, id, n, 'book', { bookingId });
  },
  'series.occurrence_missed': (tx, { id, n, code, alternatives }) => moveOccurrence(tx, id, n, 'miss', { code, alternatives }),
  'series.occurrence_skipped': (tx, { id, n }) => moveOccurrence(tx, id, n, 'skip', { code: 'skipped' }),
  'series.occurrence_moved': async (tx, { id, n, startsAt, endsAt, at }) => {
    await assertNotHopeless(tx, await takerOf(tx, id), { startsAt, endsAt }, at);
    await moveOccurrence(tx, id, n, 'move', { during: rangeOf(startsAt, endsAt) });
  },
} satisfies Projectors<SeriesEvent & { id: string }>;

interface Taker {
  providerId: string;
  service: string;
}

async function takerOf(tx: Db, id: string): Promise<Taker> {
  const [taker] = await sql<Taker>(tx, 'select provider_id as "providerId", service_code as service from series where id = ?', [id]);
  if (!taker) throw new DomainError('row_disagrees', 'There is no such series row.');
  return taker;
}

/**
 * Checks that the provider's licence is valid until `endsAt`. Matching checked the licence only once, and a series goes on for
 * months.
 * @throws credential_lapsed
 */
async function assertLicensed(tx: Db, { providerId, service }: Taker, endsAt: string): Promise<void> {
  const { licence, category } = serviceOf(await loadCatalogue(tx), service);
  if (!licence) return;
  const valid = await sql(
    tx,
    `select 1 from credential where provider_id = ? and kind = 'licence' and category = ? and status in ('verified', 'expiring')
       and (valid_until is null or valid_until > ?::timestamptz) limit 1`,
    [providerId, category, endsAt],
  );
  if (valid.length === 0) throw new DomainError('credential_lapsed');
}

interface Slot {
  startsAt: string;
  endsAt: string;
}

function slotFrom(startsAt: string, durationMinutes: number): Slot {
  return { startsAt, endsAt: iso(Date.parse(startsAt) + durationMinutes * 60_000) };
}

/**
 * Refuses a slot that cannot be booked, as early as possible. Nobody can say yet whether a slot beyond the provider's horizon
 * will be free, so such a slot passes.
 * @throws slot_taken, outside_slot_rules
 */
async function assertNotHopeless(tx: Db, { providerId, service }: Taker, slot: Slot, at: string): Promise<void> {
  try {
    await checkCalendar(tx, providerId, service, slot, Date.parse(at));
  } catch (error) {
    if (!(error instanceof DomainError) || error.detail.status !== 'beyond_horizon') throw error;
  }
}

async function end(tx: Db, id: string, step: 'decline' | 'expire' | 'end', at: string, statusReason?: string): Promise<void> {
  await move(tx, Series, seriesMachine, id, step, { closedAt: new Date(at), ...(statusReason && { statusReason }) });
  await sql(tx, `update series_occurrence set status = 'skipped', code = 'series_over' where series_id = ? and status = 'planned'`, [id]);
}

/** @throws row_disagrees when the row does not have the status that its timeline implies */
async function moveOccurrence(
  tx: Db,
  seriesId: string,
  n: number,
  step: keyof typeof occurrenceMachine.moves,
  { bookingId, code, alternatives, during }: { bookingId?: string; code?: string; alternatives?: unknown; during?: string },
): Promise<void> {
  const { from, to } = occurrenceMachine.moves[step];
  const moved = await sql(
    tx,
    `update series_occurrence set status = ?, booking_id = ?, code = ?, alternatives = ?::jsonb, during = coalesce(?::tstzrange, during)
     where series_id = ? and n = ? and status = any(?::text[]) returning n`,
    [
      to,
      bookingId ?? null,
      code ?? null,
      alternatives ? JSON.stringify(alternatives) : null,
      during ?? null,
      seriesId,
      n,
      `{${from.join()}}`,
    ],
  );
  if (moved.length !== 1) throw new DomainError('row_disagrees', `The occurrence row cannot ${step}.`);
}

import { cancellationSignal, heartbeat } from '@temporalio/activity';
import type { CalendarImportInput } from '../contracts/calendar-import.messages.ts';
import { change } from '../db/change.ts';
import type { Orm } from '../db/orm.ts';
import { markFailed, markTold, markUnchanged, storeBusy, takeImports, type DueImport } from '../db/queries/calendar-import.ts';
import { SYSTEM } from '../domain/actor.ts';
import { ImportError } from '../integrations/calendar/fault.ts';
import type { PublishedCalendars } from '../integrations/calendar/fetch.ts';
import type { ImportFault } from '../domain/calendar/import.ts';
import type { ProviderEvent } from '../domain/provider/types.ts';
import { tell } from '../domain/timeline.ts';

export interface CalendarImportDeps {
  orm: Orm;
  calendars: PublishedCalendars;
  /** Tests set shorter times. */
  calendarTiming?: Partial<typeof defaultTiming>;
  /** Gives milliseconds since the epoch. Absent: the clock of the database counts. */
  clock?: () => number;
}

const minuteMs = 60_000;
const dayMs = 86_400_000;
/** A claim (`leaseMs`) lasts longer than the slowest batch, which runs all at once: 20 s to fetch and 10 s to read. */
const defaultTiming = { refreshMs: 30 * minuteMs, leaseMs: 3 * minuteMs, firstPauseMs: 5 * minuteMs, longestPauseMs: 360 * minuteMs };
const batchSize = 4;
/** Failures in a row after which the provider is told: with the pauses above, that is more than an hour. */
const tellAfter = 5;
/**
 * Days of busy times that are read, before and after today. Slots can be booked two years ahead. The rest is a margin, because an unchanged
 * calendar is not computed again every time.
 */
const reachDays = { before: 1, behind: 735 };

/** Numbers of calendars. */
export interface ImportedCalendars {
  read: number;
  unchanged: number;
  failed: number;
}

export type CalendarImportActivities = ReturnType<typeof calendarImportActivities>;

export function calendarImportActivities({ orm, calendars, calendarTiming = {}, clock }: CalendarImportDeps) {
  const timing = { ...defaultTiming, ...calendarTiming };

  return {
    /** Reads the calendars that are due, batch by batch. A calendar that cannot be read keeps the busy times of its last reading. */
    async importCalendars({ importId }: CalendarImportInput): Promise<ImportedCalendars> {
      const counts: ImportedCalendars = { read: 0, unchanged: 0, failed: 0 };
      while (!cancellationSignal().aborted) {
        const batch = await takeImports(orm.em.fork(), { limit: batchSize, leaseMs: timing.leaseMs, importId, now: clock?.() ?? null });
        if (batch.length === 0) break;
        for (const outcome of await Promise.all(batch.map(refresh))) counts[outcome] += 1;
        heartbeat(counts);
      }
      return counts;
    },
  };

  async function refresh(due: DueImport): Promise<keyof ImportedCalendars> {
    // Whole days, so that a calendar without changes gives the same busy times all day long.
    const today = Math.floor((clock ?? Date.now)() / dayMs) * dayMs;
    const window = { zone: due.zone, from: today - reachDays.before * dayMs, to: today + reachDays.behind * dayMs };
    try {
      const answer = await calendars.fetch(due.url, due.known, window, cancellationSignal());
      const again = { againInMs: timing.refreshMs, now: clock?.() ?? null };
      if (answer.is === 'unchanged') await markUnchanged(orm.em.fork(), due, again);
      else await storeBusy(orm, due, { busy: answer.busy, ...answer.validators }, again);
      return answer.is;
    } catch (error) {
      if (!(error instanceof ImportError) || cancellationSignal().aborted) throw error;
      await failed(due, error.code);
      return 'failed';
    }
  }

  async function failed(due: DueImport, fault: ImportFault): Promise<void> {
    const againInMs = Math.min(timing.firstPauseMs * 2 ** due.failures, timing.longestPauseMs);
    await markFailed(orm.em.fork(), due, fault, { againInMs, now: clock?.() ?? null });
    if (due.told || due.failures + 1 < tellAfter) return;
    await change(orm, {
      stream: `provider/${due.providerId}`,
      command: { id: `calendar-import/${due.id}/${Date.now()}`, by: SYSTEM },
      // The provider is told once, until the calendar could be read again: they may be bookable at times when they are busy.
      work: async (tx) => ((await markTold(tx, due)) ? [failing(due, fault)] : []),
    });
  }
}

const failing = ({ id, providerId }: DueImport, fault: ImportFault): ProviderEvent => ({
  type: 'provider.calendar_import_failing',
  importId: id,
  fault,
  audience: [providerId],
  notify: tell('calendar_import_failing', providerId),
});

// Reads a provider's external calendar from its address: a port and its one implementation.
import type { Interval } from '../../domain/calendar/availability.ts';
import { OutboundError, type HttpGuard, type OutboundAnswer } from '../http-guard.ts';
import type { BusyOptions } from './busy.ts';
import { ImportError } from './fault.ts';
import { readBusy } from './reader.ts';

/** The validators that the server sent with the version that we have read. */
export interface Validators {
  etag: string | null;
  lastModified: string | null;
}

export type CalendarAnswer = { is: 'unchanged' } | { is: 'read'; busy: Interval[]; validators: Validators };

export interface PublishedCalendars {
  /**
   * Busy times of a published calendar. An empty calendar has no busy times; a text that is not a whole calendar is a fault.
   * @param known validators of the version read before; null reads the calendar in any case
   * @throws ImportError
   */
  fetch(url: string, known: Validators | null, options: BusyOptions, signal?: AbortSignal): Promise<CalendarAnswer>;
}

const maxBytes = 5 * 1024 * 1024;
const timeoutMs = 20_000;
/** Media types that servers use for a calendar, also servers that do not know the right one. */
const mediaTypes = /^(?:text\/(?:calendar|x-vcalendar|plain)|application\/(?:ics|octet-stream|x-ical))\b/i;

export function publishedCalendars(guard: HttpGuard): PublishedCalendars {
  return {
    async fetch(url, known, options, signal) {
      const answer = await guard.call(url, { headers: conditions(known), maxBytes, timeoutMs, ...(signal && { signal }) }).catch(toFault);
      if (answer.status === 304 && known) return { is: 'unchanged' };
      if (answer.status !== 200) throw new ImportError(answer.status >= 500 || answer.status === 429 ? 'unreachable' : 'refused');
      return { is: 'read', busy: await readBusy(textOf(answer), options, {}, signal), validators: validatorsOf(answer) };
    },
  };
}

function conditions(known: Validators | null): Record<string, string> {
  return {
    accept: 'text/calendar',
    ...(known?.etag && { 'if-none-match': known.etag }),
    ...(known?.lastModified && { 'if-modified-since': known.lastModified }),
  };
}

function textOf({ headers, body }: OutboundAnswer): string {
  if (headers['content-type'] !== undefined && !mediaTypes.test(headers['content-type'])) throw new ImportError('wrong_type');
  // In other encodings only names are garbled, and no names are read.
  return new TextDecoder().decode(body);
}

/** Validators are sent back unchanged. They are kept only when a header can hold them and they are short enough for a row. */
const validatorsOf = ({ headers }: OutboundAnswer): Validators => ({
  etag: storable(headers.etag),
  lastModified: storable(headers['last-modified']),
});
const storable = (value: string | undefined): string | null => (value && /^[\x20-\x7e]{1,200}$/.test(value) ? value : null);

function toFault(error: unknown): never {
  throw error instanceof OutboundError ? new ImportError(error.code) : error;
}

// Plays whole paths over HTTP. Recordings and measurements need their results as values and not as assertions.
import type { Policy } from '../../src/domain/policy.ts';
import { eventually, type Answer, type Caller, type Json } from './http.ts';
import { leakRequest, seedProvider, type SeededProvider } from './seed.ts';
import type { Suite } from './suite.ts';

/** The body of an answer that is not a refusal. */
export function accepted({ status, body }: Answer): Json {
  if (status >= 300) throw new Error(`refused with ${status}: ${JSON.stringify(body)}`);
  return body;
}

export function seedProviders(suite: Suite, count = 3): Promise<SeededProvider[]> {
  return Promise.all(Array.from({ length: count }, (_, n) => seedProvider(suite.orm, { price: 11_000 + n * 1_000 })));
}

/** Creates a structured request and sends it out at once. @returns its id */
export async function submitRequest(consumer: Caller, more: object = {}): Promise<string> {
  return accepted(await consumer.post('/requests', leakRequest({ submit: true, ...more }))).id;
}

/** Waits until the row has one of the statuses. It reads the row and calls no route, so that it does not disturb a measurement. */
export async function untilStatus(
  suite: Suite,
  table: 'request' | 'booking' | 'enrollment',
  id: string,
  ...statuses: string[]
): Promise<Json> {
  const rows = await eventually(
    () => suite.rows<{ status: string }>(`select * from ${table} where id = ?`, [id]),
    ([row]) => row !== undefined && statuses.includes(row.status),
    { what: `${table} ${statuses.join(' or ')}` },
  );
  return rows[0];
}

/** A provider as a caller, with the id of the invitation that they hold. */
export async function invited(
  suite: Suite,
  { id, subject }: SeededProvider,
  requestId: string,
): Promise<{ caller: Caller; offerId: string }> {
  const rows = await eventually(
    () => suite.rows<{ id: string }>('select id from offer where request_id = ? and provider_id = ?', [requestId, id]),
    (found) => found.length > 0,
    { what: 'the invitation' },
  );
  return { caller: await suite.as(subject, 'provider'), offerId: rows[0]!.id };
}

/** Every invited provider takes the suggested terms. @returns the offers, best first */
export async function proposeAll(suite: Suite, providers: readonly SeededProvider[], consumer: Caller, requestId: string): Promise<Json[]> {
  for (const provider of providers) {
    const { caller, offerId } = await invited(suite, provider, requestId);
    accepted(await caller.post(`/offers/${offerId}/propose`));
  }
  return accepted(await consumer.get(`/requests/${requestId}/offers`)).items;
}

export interface Booked {
  bookingId: string;
  providerId: string;
  winner: Caller;
}

/** Waits for the confirmed booking of a request. */
export async function untilConfirmed(suite: Suite, requestId: string): Promise<Booked> {
  const { booking_id: bookingId } = await untilStatus(suite, 'request', requestId, 'booked');
  const { provider_id: providerId } = await untilStatus(suite, 'booking', bookingId, 'confirmed');
  return { bookingId, providerId, winner: await suite.as(`provider-${providerId}`, 'provider') };
}

/** The code that the consumer shows at the door. */
export async function codeOf(suite: Suite, bookingId: string): Promise<string> {
  const [row] = await suite.rows<{ code: string }>('select code from check_in_code where booking_id = ?', [bookingId]);
  return row!.code;
}

/** Plays the job and waits until its request is completed. */
export async function carryOut(suite: Suite, requestId: string, { bookingId, winner }: Booked): Promise<void> {
  accepted(await winner.post(`/bookings/${bookingId}/check-in`, { code: await codeOf(suite, bookingId) }));
  accepted(await winner.post(`/bookings/${bookingId}/complete`));
  await untilStatus(suite, 'request', requestId, 'completed');
}

export async function untilReminded(suite: Suite, bookingId: string, times: number): Promise<void> {
  await eventually(
    () => suite.rows(`select seq from event where stream = ? and type = 'booking.reminded'`, [`booking/${bookingId}`]),
    (rows) => rows.length === times,
    { withinMs: 60_000, what: `${times} reminders (a booking confirmed later than they are due skips them)` },
  );
}

/** Writes one side's review of a completed booking. */
export async function review(bookingId: string, side: Caller): Promise<void> {
  accepted(await side.post(`/bookings/${bookingId}/review`, { rating: 5, text: 'Well done' }));
}

/** Sends a chat message and waits for the answer. @returns the ids of the request and the intent of the answer */
export async function say(consumer: Caller, message: string, requestId?: string): Promise<{ requestId: string; intent: string }> {
  const said = accepted(await consumer.post('/chat', { message, requestId }));
  const turn = await eventually(
    async () => accepted(await consumer.get(said.links.turn.replace('/api/v1', ''))),
    ({ status }) => status === 'done',
    { what: 'the answer' },
  );
  return { requestId: said.requestId, intent: turn.intent };
}

const quarterMs = 15 * 60_000;

/**
 * A request with a known slot, so that a policy can name reminders that fire during the test. Slots start on quarters of an
 * hour, and reminders are counted back from the start.
 * @param remindInMs milliseconds from now to each reminder
 */
export function soonSlot(remindInMs: readonly number[]): {
  policy: Pick<Policy, 'reminderBeforeMs' | 'quietHours'>;
  when: { from: string; to: string; zone: string };
} {
  const now = Date.now();
  // Suggested slots start after the ten minutes in which providers may answer.
  const start = Math.ceil((now + Math.max(...remindInMs) + 11 * 60_000) / quarterMs) * quarterMs;
  return {
    // A policy without quiet hours, because reminders are moved out of quiet hours.
    policy: { reminderBeforeMs: remindInMs.map((ms) => start - now - ms), quietHours: { fromMinute: 0, toMinute: 0 } },
    when: { from: new Date(start).toISOString(), to: new Date(start + 16 * quarterMs).toISOString(), zone: 'America/New_York' },
  };
}

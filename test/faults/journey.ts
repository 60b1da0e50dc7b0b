// Correct clients: they send a command that fails temporarily again with the same Idempotency-Key, and write down every
// acknowledged command outside the system.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually, type Answer, type Caller, type Json } from '../support/http.ts';
import { leakRequest, seedPlace, seedProvider, type SeededProvider } from '../support/seed.ts';
import type { Stack } from './harness.ts';

interface Acknowledged {
  from: Caller;
  path: string;
  body: object;
  key: string;
  answer: Answer;
}

const passing = (answer: Answer) => answer.status === 503 || answer.status === 429 || answer.body?.code === 'idempotency_in_flight';

/** Sends one command until it is answered, for at most `withinMs` milliseconds. */
export async function persist(
  from: Caller,
  path: string,
  body: object = {},
  { key = randomUUID() as string, withinMs = 90_000 } = {},
): Promise<Answer> {
  const until = Date.now() + withinMs;
  for (;;) {
    let last: unknown;
    let retryAfterS = 0;
    try {
      const answer = await from.post(path, body, { 'idempotency-key': key });
      if (!passing(answer)) return answer;
      last = JSON.stringify(answer.body);
      retryAfterS = Number(answer.headers.get('retry-after') ?? 0);
    } catch (error) {
      last = (error as Error).cause ?? error; // The connection broke: the outcome of the command is unknown.
    }
    if (Date.now() > until) throw new Error(`POST ${path} was not answered within ${withinMs} ms; last: ${String(last)}`);
    await sleep(Math.min(Math.max(retryAfterS * 1_000, 100), 1_000));
  }
}

/** Reads until the condition holds. A server that is temporarily unavailable does not count as an answer. */
export const seen = (from: Caller, path: string, enough: (body: Json) => boolean, withinMs = 60_000): Promise<Json> =>
  eventually(
    () =>
      from.get(path).then(
        ({ status, body }) => (status === 200 ? body : null),
        () => null,
      ),
    (body) => body !== null && enough(body),
    { what: `GET ${path}`, withinMs },
  );

/** Works on at most this many items at once, in order. */
export async function inLanes<T, R>(lanes: number, items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  const waiting = items.entries();
  const lane = async () => {
    for (const [index, item] of waiting) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: lanes }, lane));
  return results;
}

/** The ledger outside the system: all acknowledged commands and their journeys. */
export class Ledger {
  acknowledged: Acknowledged[] = [];
  journeys: Journey[] = [];
  /** How long a command is sent again before a client gives up. */
  patienceMs = 90_000;
  readonly stack: Stack;
  readonly provider: SeededProvider;
  readonly providerCaller: Caller;

  private constructor(stack: Stack, provider: SeededProvider, providerCaller: Caller) {
    this.stack = stack;
    this.provider = provider;
    this.providerCaller = providerCaller;
  }

  static async open(stack: Stack): Promise<Ledger> {
    await seedPlace(stack.orm);
    // One provider for all journeys, with so many seats that no journey takes another's slot.
    const provider = await seedProvider(stack.orm, { price: 12_000, capacity: 90 });
    return new Ledger(stack, provider, await stack.as(provider.subject, 'provider'));
  }

  /** Starts a new page of the ledger: the commands so far are not checked again. */
  turn(): void {
    this.acknowledged = [];
    this.journeys = [];
  }

  async journey(): Promise<Journey> {
    const subject = `consumer-${randomUUID()}`;
    const consumer = await this.stack.as(subject, 'consumer');
    await seen(consumer, '/requests', () => true); // The first request creates the user.
    await this.stack.rows('update user_account set email = ? where subject = ?', [`${subject}@example.test`, subject]);
    const journey = new Journey(this, consumer);
    this.journeys.push(journey);
    return journey;
  }

  async send(from: Caller, path: string, body: object = {}, key: string = randomUUID()): Promise<Answer> {
    const answer = await persist(from, path, body, { key, withinMs: this.patienceMs });
    if (answer.status < 300) this.acknowledged.push({ from, path, body, key, answer });
    return answer;
  }

  /** Sends every acknowledged command once more: the answers are the same, and nothing changes. */
  async repeatAll(): Promise<void> {
    const before = await this.stack.rows('select count(*) from event');
    for (const { from, path, body, key, answer } of this.acknowledged) {
      const again = await persist(from, path, body, { key });
      assert.deepEqual({ path, status: again.status, body: again.body }, { path, status: answer.status, body: answer.body });
    }
    assert.deepEqual(await this.stack.rows('select count(*) from event'), before);
  }

  /** Expects the traces of every completed journey: each exactly once. */
  async expectEverythingOnce(): Promise<void> {
    for (const { requestId, bookingId, messages } of this.journeys) {
      const of = { request: `request/${requestId}`, booking: `booking/${bookingId}`, review: `review/${bookingId}` };
      const [found] = await this.stack.rows<Json>(
        `select (select count(*)::int from booking where request_id = ?) as bookings,
           (select count(*)::int from message where stream = ?) as messages,
           (select count(*)::int from turn where stream = ?) as turns,
           (select array_agg(type order by type) from event where stream = ? and type not like 'round.%' and type not like 'message.%' and type not like 'turn.%' and type <> 'request.edited') as request,
           (select array_agg(type order by seq) from event where stream = ?) as booking,
           (select array_agg(kind order by kind) from notification where stream in (?, ?, ?) and kind <> 'offers_ready') as told`,
        [requestId, of.request, of.request, of.request, of.booking, of.request, of.booking, of.review],
      );
      assert.deepEqual(found, {
        bookings: 1,
        messages,
        turns: messages,
        request: ['offer.accepted', 'offer.invited', 'offer.proposed', 'request.completed', 'request.opened', 'request.submitted'],
        booking: ['booking.held', 'booking.confirmed', 'booking.checked_in', 'booking.completed'],
        told: [
          'booking_completed',
          'booking_confirmed',
          'booking_confirmed',
          'invited',
          'offer_received',
          'review_requested',
          'review_requested',
        ],
      });
    }
    assert.deepEqual(
      await this.stack.rows('select recipient_id, kind, stream, data from notification group by 1, 2, 3, 4 having count(*) > 1'),
      [],
    );
    assert.deepEqual(
      await this.stack.rows('select stream, command_id from event group by 1, 2 having count(*) <> count(distinct part)'),
      [],
    );
    await this.expectMailsOnce();
  }

  /**
   * Expects a mail for every notification of users with an address. A mail that a dead worker had claimed waits until the claim ends. A
   * mail that went out just before Postgres was killed, so that the success was not stored, is sent again with the same Message-ID.
   */
  async expectAllMailed(): Promise<void> {
    const waiting = () => this.stack.rows("select kind from notification where mail_status = 'waiting'");
    await eventually(waiting, (rows) => rows.length === 0, { what: 'the last mail', withinMs: 240_000 });
    const [counted] = await this.stack.rows<{ n: number }>("select count(*)::int as n from notification where mail_status = 'sent'");
    assert.equal(new Set(this.stack.mails.received.map(({ messageId }) => messageId)).size, counted!.n);
    assert.ok(counted!.n > 0);
  }

  /** Expects in the mail server's own list: no Message-ID twice, and a notification for every Message-ID. */
  async expectMailsOnce(): Promise<void> {
    const notified = new Set((await this.stack.rows<{ id: string }>('select id from notification')).map(({ id }) => id));
    const received = this.stack.mails.received.map(({ messageId }) => /^<([^@]+)@/.exec(messageId)?.[1] ?? messageId);
    assert.deepEqual(
      received.filter((id, index) => received.indexOf(id) !== index),
      [],
    );
    assert.deepEqual(
      received.filter((id) => !notified.has(id)),
      [],
    );
  }
}

/** One need on its way over HTTP, from the first message or a structured request to the completed booking. */
export class Journey {
  requestId = '';
  bookingId = '';
  messages = 0;
  readonly consumer: Caller;
  readonly ledger: Ledger;

  constructor(ledger: Ledger, consumer: Caller) {
    this.ledger = ledger;
    this.consumer = consumer;
  }

  get provider(): Caller {
    return this.ledger.providerCaller;
  }

  /** Sends a chat message and waits for the answer. @returns the intent of the answer */
  async say(message: string): Promise<string> {
    const { body } = await this.ok(this.consumer, '/chat', this.requestId ? { message, requestId: this.requestId } : { message });
    this.requestId = body.requestId;
    this.messages += 1;
    const turn = await seen(this.consumer, `/chat/${this.requestId}/turns/${body.turnId}`, ({ status }) => status === 'done');
    return turn.intent;
  }

  async ask(): Promise<void> {
    assert.equal(await this.say('My kitchen sink is leaking, can somebody come to Downtown as soon as possible?'), 'confirm');
  }

  async agree(): Promise<void> {
    assert.equal(await this.say('Yes, please send it.'), 'submit');
  }

  async create(more: object = {}): Promise<void> {
    const { body } = await this.ok(this.consumer, '/requests', leakRequest({ submit: true, ...more }));
    this.requestId = body.id;
  }

  /** The id of the invitation, from the provider's own list. */
  async offerId(provider = this.provider): Promise<string> {
    const mine = ({ offer }: { offer: { requestId: string } }) => offer.requestId === this.requestId;
    const leads = await seen(provider, '/leads?limit=100', ({ items }) => items.some(mine));
    return leads.items.find(mine).offer.id;
  }

  async propose(): Promise<Answer> {
    return this.ok(this.provider, `/offers/${await this.offerId()}/propose`);
  }

  async accept(): Promise<Answer> {
    const answer = await this.ok(this.consumer, `/offers/${await this.offerId()}/accept`);
    this.bookingId = answer.body.bookingId;
    return answer;
  }

  async checkIn(): Promise<Answer> {
    return this.ok(this.provider, `/bookings/${this.bookingId}/check-in`, { code: await this.code() });
  }

  /** The check-in code that the consumer shows at the door, after the booking is confirmed. */
  async code(): Promise<string> {
    const { checkInCode } = await seen(this.consumer, `/bookings/${this.bookingId}`, (booking) => booking.checkInCode !== null);
    return checkInCode;
  }

  complete(): Promise<Answer> {
    return this.ok(this.provider, `/bookings/${this.bookingId}/complete`);
  }

  closed(status = 'completed', withinMs?: number): Promise<Json> {
    return seen(this.consumer, `/requests/${this.requestId}`, (request) => request.status === status, withinMs);
  }

  /** A command that no rule refuses. */
  protected async ok(from: Caller, path: string, body: object = {}, key?: string): Promise<Answer> {
    const answer = await this.ledger.send(from, path, body, key);
    if (answer.status >= 300) throw new Error(`POST ${path}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return answer;
  }
}

// One request on a stack that moves money: a consumer with a card, providers that no other deal uses, and all commands of both
// sides. Every command is sent until it is answered.
import { randomUUID } from 'node:crypto';
import { rebuild } from '../../src/activities/rebuild.ts';
import { commandIdOf } from '../../src/api/http/idempotency.ts';
import { idFrom } from '../../src/contracts/ids.ts';
import { offerAccepted } from '../../src/contracts/request.messages.ts';
import { catchUp } from '../../src/contracts/run.messages.ts';
import { append, eventsOf } from '../../src/db/timeline.ts';
import type { BookingHeld } from '../../src/domain/booking/types.ts';
import type { Policy } from '../../src/domain/policy.ts';
import { decideRequest } from '../../src/domain/request/decide.ts';
import type { RequestMode } from '../../src/domain/request/draft.ts';
import { emptyRequest, evolveRequest } from '../../src/domain/request/evolve.ts';
import type { RequestTimelineEvent } from '../../src/domain/request/types.ts';
import { eventually, type Answer, type Caller } from '../support/http.ts';
import { city, seedProvider } from '../support/seed.ts';
import { Journey, seen, type Ledger } from './journey.ts';

const minuteMs = 60_000;
const quarterMs = 15 * minuteMs;
export const price = 12_000;
const usd = (amount: number) => ({ amount, currency: 'USD' });
const iso = (ms: number) => new Date(ms).toISOString();

export interface DealOptions {
  /** A test card of the payment provider. */
  card?: string;
  providers?: number;
  mode?: RequestMode;
  /** Default: true. */
  submit?: boolean;
  /** Begin of the requested window, in milliseconds from now. */
  inMs?: number;
}

/** Slot and policy of one booking that looks as if the offer had been accepted earlier. */
export interface Earlier {
  startedMs?: number;
  policy?: Partial<Policy>;
}

interface People {
  consumer: Caller;
  userId: string;
  providers: Caller[];
  providerIds: string[];
  operator: Caller;
}

export class Deal extends Journey {
  readonly userId: string;
  /** Ids of all bookings of this deal, oldest first. */
  readonly bookings: string[] = [];
  readonly #providers: Caller[];
  readonly #providerIds: string[];
  readonly #operator: Caller;
  #turn = 0;

  private constructor(ledger: Ledger, people: People) {
    super(ledger, people.consumer);
    this.userId = people.userId;
    this.#providers = people.providers;
    this.#providerIds = people.providerIds;
    this.#operator = people.operator;
    ledger.journeys.push(this);
  }

  /** Opens a deal in a region of its own, so that no other deal invites the same providers. */
  static async open(
    ledger: Ledger,
    { card = 'pm_card_visa', providers = 1, mode = 'compare', submit = true, inMs = minuteMs }: DealOptions = {},
  ): Promise<Deal> {
    const { stack } = ledger;
    const n = (regions += 1);
    const place = { ...city, lat: 25 + (n % 40) / 2, lon: -120 + Math.floor(n / 40) };
    const seeded = await Promise.all(Array.from({ length: providers }, () => seedProvider(stack.orm, { ...place, price })));
    const subject = `consumer-${randomUUID()}`;
    const consumer = await stack.as(subject, 'consumer');
    const me = await seen(consumer, '/me', () => true);
    await stack.rows('update user_account set email = ? where id = ?', [`${subject}@example.test`, me.id]);
    const people = {
      consumer,
      userId: me.id,
      providers: await Promise.all(seeded.map((provider) => stack.as(provider.subject, 'provider'))),
      providerIds: seeded.map(({ id }) => id),
      operator: await stack.as('operator', 'admin'),
    };
    const deal = new Deal(ledger, people);
    await deal.payWith(card);
    await deal.create({ mode, submit, location: { ...place, address: '1 Main Street' }, when: windowIn(inMs) });
    return deal;
  }

  override get provider(): Caller {
    return this.#providers[this.#turn]!;
  }

  /** Waits until the next provider is invited. From then on this provider proposes. */
  async nextProvider(): Promise<void> {
    this.#turn += 1;
    const asked = ({ offer }: { offer: { requestId: string } }) => offer.requestId === this.requestId;
    await seen(this.provider, '/leads?status=invited&limit=100', ({ items }) => items.some(asked), 120_000);
  }

  async payWith(card: string): Promise<void> {
    const put = () =>
      this.consumer.send('PUT', '/me/payment-method', { method: card }).catch((error: Error) => ({ status: 503, body: error.message }));
    const { status, body } = await eventually(put, (answer) => answer.status !== 503, { what: 'storing the card' });
    if (status !== 200) throw new Error(`the card was not stored: ${JSON.stringify(body)}`);
  }

  /** The id of the next booking. The same key always makes the same id. */
  #next = { key: '', bookingId: '' };
  get nextBooking(): string {
    if (!this.#next.key) {
      const key = randomUUID();
      this.#next = { key, bookingId: idFrom(commandIdOf(this.userId, 'POST /offers/:offerId/accept', key), 'booking') };
    }
    return this.#next.bookingId;
  }

  override async accept(): Promise<Answer> {
    this.bookings.push((this.bookingId = this.nextBooking));
    const { key } = this.#next;
    this.#next.key = '';
    return this.ok(this.consumer, `/offers/${await this.offerId()}/accept`, {}, key);
  }

  /** Says yes to the draft of a deal that was opened without `submit`. */
  async submit(): Promise<void> {
    const { draftHash } = await seen(this.consumer, `/requests/${this.requestId}`, () => true);
    await this.ok(this.consumer, `/requests/${this.requestId}/submit`, { draftHash });
  }

  review(side: 'consumer' | 'provider'): Promise<Answer> {
    return this.command(side, 'review', { rating: 5 });
  }

  /** Makes the request one for which nobody pays, as the policy was before payments, and builds its run again. */
  async costNothing(): Promise<void> {
    const { orm, client, rows } = this.ledger.stack;
    const run = `request/${this.requestId}`;
    await rows(`update event set data = jsonb_set(data, '{policy,payments}', '"none"') where stream = ? and seq = 1`, [run]);
    const { runId } = await client.workflow.getHandle(run).describe();
    await rebuild({ orm, temporal: client }, run, { runId, because: 'the policy was changed' });
  }

  /** Sends the provider's acceptance as a plain Signal, once, and waits for the booking. */
  async acceptBySignal(): Promise<void> {
    const fact = { offerId: await this.offerId(), providerId: this.#providerIds[this.#turn]!, eventId: randomUUID() };
    const run = this.ledger.stack.client.workflow.getHandle(`request/${this.requestId}`);
    await run.signal(offerAccepted, fact);
    this.bookingId = (await seen(this.consumer, `/requests/${this.requestId}`, ({ bookingId }) => bookingId, 120_000)).bookingId;
    this.bookings.push(this.bookingId);
  }

  /** Writes the acceptance to the timeline as if it had been given earlier. The run finds it there, as after fault 69. */
  async acceptEarlier({ startedMs = 0, policy = {} }: Earlier): Promise<void> {
    const { stack } = this.ledger;
    const stream = `request/${this.requestId}`;
    const [offerId, bookingId] = [await this.offerId(), this.nextBooking];
    this.#next.key = '';
    const startsAt = Math.ceil((Date.now() - startedMs) / quarterMs) * quarterMs;
    const at = Math.min(Date.now(), startsAt - minuteMs);
    const moved = (event: RequestTimelineEvent): RequestTimelineEvent => {
      if (event.type !== 'booking.held') return event;
      const whole: Policy = { ...(event as BookingHeld).policy, ...policy };
      return {
        ...event,
        ...(startedMs && { startsAt: iso(startsAt), endsAt: iso(startsAt + 60 * minuteMs) }),
        heldUntil: iso(Date.now() + whole.holdMs),
        policy: whole,
      };
    };
    const tries = async () => {
      const events = await eventsOf<RequestTimelineEvent>(stack.orm.em.fork(), stream, 0);
      const state = events.reduce(evolveRequest, emptyRequest);
      const command = { id: bookingId, by: { id: this.userId, role: 'consumer' as const }, do: 'acceptOffer' as const, offerId, bookingId };
      if (state.applied.includes(command.id)) return 'written';
      const written = decideRequest(state, command, at).map(moved);
      return (await append(stack.orm, { stream, after: events.length, command, at: iso(at), events: written })).is;
    };
    const patiently = <T>(work: () => Promise<T>) => work().catch((error: Error) => error.message);
    await eventually(
      () => patiently(tries),
      (is) => is === 'written' || is === 'replayed',
      { what: 'the acceptance', withinMs: 60_000 },
    );
    const told = async () => (await stack.client.workflow.getHandle(stream).signal(catchUp), 'told');
    await eventually(
      () => patiently(told),
      (is) => is === 'told',
      { what: 'the run to hear of it', withinMs: 60_000 },
    );
    this.bookingId = bookingId;
    this.bookings.push(bookingId);
  }

  /** Waits until the booking exists and has this status. */
  until(status: string): Promise<unknown> {
    return seen(this.consumer, `/bookings/${this.bookingId}`, (booking) => booking.status === status, 120_000);
  }

  /** Waits for an event of the booking. */
  happened(type: string, times = 1, withinMs = 120_000): Promise<unknown> {
    const count = ({ items }: { items: { type: string }[] }) => items.filter((item) => item.type === type).length;
    return seen(this.consumer, `/bookings/${this.bookingId}/timeline`, (timeline) => count(timeline as never) >= times, withinMs);
  }

  command(side: 'consumer' | 'provider', verb: string, body: object = {}): Promise<Answer> {
    return this.ok(this[side], `/bookings/${this.bookingId}/${verb}`, body);
  }

  finish(amount = price): Promise<Answer> {
    return this.command('provider', 'complete', { finalPrice: usd(amount) });
  }

  /** Proposes another slot, some hours later. */
  async reschedule(by: 'consumer' | 'provider', hours: number): Promise<void> {
    const { slot } = await seen(this.consumer, `/bookings/${this.bookingId}`, () => true);
    const startsAt = iso(Date.parse(slot.startsAt) + hours * 60 * minuteMs);
    await this.command(by, 'reschedule', { slot: { startsAt } });
  }

  agreeToReschedule(by: 'consumer' | 'provider'): Promise<Answer> {
    return this.command(by, 'reschedule/answer', { accept: true });
  }

  rule(refund: number): Promise<Answer> {
    const body = { action: 'rule', ticket: 'T-1', reason: 'both were heard', refund: usd(refund) };
    return this.ok(this.#operator, `/admin/bookings/${this.bookingId}/intervene`, body);
  }
}

let regions = 0;

const windowIn = (inMs: number) => {
  const from = Date.now() + inMs;
  return { from: iso(from), to: iso(from + 4 * 60 * minuteMs), zone: city.zone };
};

// One life of a request: the messages that its people send, and what each message leads to. The driver sees only answers of the
// API and rows. It does not know which Temporal runs exist, so it can drive two designs.
import { performance } from 'node:perf_hooks';
import type { Caller } from '../test/support/http.ts';
import { accepted, codeOf, submitRequest } from '../test/support/play.ts';
import { city, seedProvider } from '../test/support/seed.ts';
import type { Suite } from '../test/support/suite.ts';
import type { Notices } from './notices.ts';

const offersEach = 3;
export const dayMs = 86_400_000;

/** The policy of measured workers and APIs: nobody waits for the hour of the slot. */
export const lifePolicy = { POLICY: JSON.stringify({ checkInEarlyMs: 30 * dayMs }) };

/** A consumer and three providers at a place of their own, so that they take no slot of others. */
export interface People {
  place: typeof city;
  consumer: Caller;
  providers: ReadonlyMap<string, Caller>;
}

/** @param n number of the place; two numbers are never in reach of each other */
export async function peopleAt(suite: Suite, n: number): Promise<People> {
  const place = { ...city, lat: -60 + (n % 120), lon: -170 + 2 * Math.floor(n / 120) };
  const seeded = await Promise.all(Array.from({ length: offersEach }, (_, k) => seedProvider(suite.orm, { ...place, price: 11_000 + k })));
  const providers = await Promise.all(seeded.map(async ({ id, subject }) => [id, await suite.as(subject, 'provider')] as const));
  return { place, consumer: await suite.as(`consumer-${n}`, 'consumer'), providers: new Map(providers) };
}

export interface Life {
  suite: Suite;
  notices: Notices;
  people: People;
  requestId: string;
  offers: { id: string; provider_id: string }[];
  bookingId: string;
}

export const lifeOf = (suite: Suite, notices: Notices, people: People): Life => ({
  suite,
  notices,
  people,
  requestId: '',
  offers: [],
  bookingId: '',
});

export type MessageName = 'start' | 'proposal' | 'acceptance' | 'checkIn' | 'completion' | 'review';

export interface Message {
  name: MessageName;
  send(life: Life): Promise<unknown>;
  /** Whether the rows show what the message leads to. Without this function the answer is everything. */
  done?(life: Life): Promise<boolean>;
}

/** The provider whose offer is accepted. */
const winner = ({ people, offers }: Life): Caller => people.providers.get(offers[0]!.provider_id)!;

const has = async ({ suite }: Life, text: string, params: unknown[]): Promise<boolean> => (await suite.rows(text, params)).length > 0;

const start: Message = {
  name: 'start',
  async send(life) {
    const location = { ...life.people.place, address: '1 Main Street' };
    life.requestId = await submitRequest(life.people.consumer, { location });
  },
  async done(life) {
    life.offers = await life.suite.rows('select id, provider_id from offer where request_id = ?', [life.requestId]);
    return life.offers.length === offersEach;
  },
};

const proposal = (k: number): Message => ({
  name: 'proposal',
  async send({ people, offers }) {
    const { id, provider_id } = offers[k]!;
    accepted(await people.providers.get(provider_id)!.post(`/offers/${id}/propose`));
  },
});

const acceptance: Message = {
  name: 'acceptance',
  async send(life) {
    life.bookingId = accepted(await life.people.consumer.post(`/offers/${life.offers[0]!.id}/accept`)).bookingId;
  },
  done: (life) => has(life, `select 1 from booking where id = ? and status = 'confirmed'`, [life.bookingId]),
};

const checkIn: Message = {
  name: 'checkIn',
  async send(life) {
    const code = await codeOf(life.suite, life.bookingId);
    accepted(await winner(life).post(`/bookings/${life.bookingId}/check-in`, { code }));
  },
};

const completion: Message = {
  name: 'completion',
  send: async (life) => accepted(await winner(life).post(`/bookings/${life.bookingId}/complete`)),
  done: (life) => has(life, `select 1 from request where id = ? and status = 'completed'`, [life.requestId]),
};

const review = (side: (life: Life) => Caller, done?: Message['done']): Message => ({
  name: 'review',
  send: async (life) => accepted(await side(life).post(`/bookings/${life.bookingId}/review`, { rating: 5, text: 'Well done' })),
  ...(done && { done }),
});

const published = async ({ suite, bookingId }: Life): Promise<boolean> =>
  (await suite.rows(`select 1 from review where booking_id = ? and status = 'published'`, [bookingId])).length === 2;

/** From the start to the confirmed booking. */
export const fiveMessages: readonly Message[] = [start, proposal(0), proposal(1), proposal(2), acceptance];
export const untilCompleted: readonly Message[] = [...fiveMessages, checkIn, completion];
/** The whole life, with the published reviews of both sides. */
export const untilReviewed: readonly Message[] = [...untilCompleted, review(({ people }) => people.consumer), review(winner, published)];

/** An append can concern several streams and give a notice for only one of them. */
const streamsOf = ({ requestId, bookingId }: Life): string[] => [
  `request/${requestId}`,
  ...(bookingId ? [`booking/${bookingId}`, `review/${bookingId}`] : []),
];

/** Sends a message and waits for what it leads to. @returns milliseconds until the answer, and until the rows show what it led to */
export async function say(life: Life, { send, done }: Message): Promise<{ answered: number; done: number }> {
  const from = performance.now();
  await send(life);
  const answered = performance.now() - from;
  if (done) await life.notices.until(streamsOf(life), () => done(life));
  return { answered, done: performance.now() - from };
}

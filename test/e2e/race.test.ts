import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { performance } from 'node:perf_hooks';
import { quantile } from '../../bench/statistics.ts';
import { eventually, type Answer, type Caller, type Json } from '../support/http.ts';
import { accepted } from '../support/play.ts';
import { leakRequest, seedProvider, type SeededProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

const racers = 64;
/** The number of open invitations per provider is limited, so each group is invited after the answers to the group before. */
const group = 8;

let suite: Suite;

beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

interface Racer {
  consumer: Caller;
  offerId: string;
}

async function invited(n: number): Promise<Racer> {
  const consumer = await suite.as(`racer-${n}`, 'consumer');
  const wish = leakRequest({ submit: true, service: 'photo.portrait', details: { people: 2 } });
  const { id } = accepted(await consumer.post('/requests', wish));
  const [offer] = await eventually(
    () => suite.rows<{ id: string }>('select id from offer where request_id = ?', [id]),
    (rows) => rows.length > 0,
    { what: 'the invitation' },
  );
  return { consumer, offerId: offer!.id };
}

/** The given number of proposals of one provider, each to another consumer, all for the same slot. */
async function proposals(provider: SeededProvider): Promise<Racer[]> {
  const caller = await suite.as(provider.subject, 'provider');
  const all: Racer[] = [];
  while (all.length < racers) {
    const batch = await Promise.all(Array.from({ length: group }, (_, n) => invited(all.length + n)));
    for (const answer of await Promise.all(batch.map(({ offerId }) => caller.post(`/offers/${offerId}/propose`)))) accepted(answer);
    all.push(...batch);
  }
  const [first] = await suite.rows<{ during: string }>('select during::text as during from offer where id = ?', [all[0]!.offerId]);
  await suite.rows('update offer set during = ?::tstzrange where provider_id = ?', [first!.during, provider.id]);
  return all;
}

describe('a slot that 64 want at once, over HTTP', () => {
  it('fault 7, 8: one 201, the rest 409 with alternatives that are free, and no loser waits ten times as long as the winner', async () => {
    const provider = await seedProvider(suite.orm, { service: 'photo.portrait', price: 20_000, licensedFor: null });
    const all = await proposals(provider);
    const timed = async ({ consumer, offerId }: Racer): Promise<{ answer: Answer; ms: number }> => {
      const from = performance.now();
      return { answer: await consumer.post(`/offers/${offerId}/accept`), ms: performance.now() - from };
    };
    const answers = await Promise.all(all.map(timed));
    const won = answers.filter(({ answer }) => answer.status === 201);
    const lost = answers.filter(({ answer }) => answer.status === 409);
    expect({ won: won.length, lost: lost.length }).toEqual({ won: 1, lost: racers - 1 });
    expect(new Set(lost.map(({ answer }) => answer.body.code))).toEqual(new Set(['slot_taken']));
    expect(await suite.rows('select id from booking where provider_id = ?', [provider.id])).toHaveLength(1);
    const [p99, p50] = [
      quantile(
        lost.map(({ ms }) => ms),
        0.99,
      ),
      quantile(
        won.map(({ ms }) => ms),
        0.5,
      ),
    ];
    process.stdout.write(`  race: losers p99 ${p99.toFixed(0)} ms, winner p50 ${p50.toFixed(0)} ms, ratio ${(p99 / p50).toFixed(2)}\n`);
    expect(p99).toBeLessThan(10 * p50);

    // The slot that a loser is offered instead can be booked.
    const range = `from=${new Date().toISOString()}&to=${new Date(Date.now() + 6 * 86_400_000).toISOString()}`;
    const { items } = accepted(await all[0]!.consumer.get(`/providers/${provider.id}/slots?service=photo.portrait&${range}&limit=1000`));
    const free = new Set(items.map(({ startsAt }: Json) => Date.parse(startsAt)));
    const offered = new Set(lost.flatMap(({ answer }) => answer.body.alternatives.map(({ startsAt }: Json) => Date.parse(startsAt))));
    for (const { answer } of lost) expect(answer.body.alternatives.length).toBeGreaterThan(0);
    expect([...offered].filter((startsAt) => !free.has(startsAt))).toEqual([]);

    // The losers' search continues until its end, because there is no other provider.
    await eventually(
      () =>
        suite.rows(
          "select r.id from request r join offer o on o.request_id = r.id where o.provider_id = ? and o.status = 'superseded' and r.status = 'unfilled'",
          [provider.id],
        ),
      ({ length }) => length === racers - 1,
      { what: 'the end of the search of 63 losers' },
    );
  });
});

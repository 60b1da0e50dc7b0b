// Who can reach whom, and when: names, mail addresses and the full address, in everything that anybody can read.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { address, book, minuteMs, quarter, runEnded, type Booked } from '../support/booked.ts';
import { eventually, type Caller, type Json } from '../support/http.ts';
import { accepted, invited, submitRequest } from '../support/play.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const leaked = (text: string, hidden: Record<string, string>) => Object.keys(hidden).filter((key) => text.includes(hidden[key]!));

/** Everything a reader can open about a booking on its way, as one text. */
async function everything(reader: Caller, paths: string[]): Promise<string> {
  const answers = await Promise.all(paths.map((path) => reader.get(path)));
  const found = paths.filter((_, index) => answers[index]!.status === 200);
  expect(found.length).toBeGreaterThan(3);
  return JSON.stringify(answers.filter(({ status }) => status === 200).map(({ body }) => body));
}

/** All messages of a user's realtime channel from its beginning. */
async function events(subject: string, role: string): Promise<string> {
  const gone = new AbortController();
  const response = await fetch(`${suite.url}/api/v1/events`, {
    headers: { authorization: `Bearer ${await suite.token(subject, role)}`, 'last-event-id': '0' },
    signal: gone.signal,
  });
  const decoder = new TextDecoder();
  let text = '';
  const reading = (async () => {
    for await (const chunk of response.body!) text += decoder.decode(chunk as Uint8Array, { stream: true });
  })().catch(() => {});
  await eventually(
    async () => text,
    (all) => /booking\.(held|confirmed)|offer\.invited/.test(all),
    { what: 'an event' },
  );
  gone.abort();
  await reading;
  return text;
}

describe('before the slot is confirmed', () => {
  it('no view shows either side how to reach the other: request, offers, leads, providers, booking, inbox, timelines, realtime', async () => {
    const booking = await book(suite, { held: true });
    const { consumer, provider, consumerId, providerId, id: bookingId } = booking;
    await suite.rows("update user_account set display_name = 'Dana Private' where id = ?", [consumerId]);
    const hidden = {
      address,
      consumerName: 'Dana Private',
      consumerMail: `${consumerId}@example.test`,
    };
    const providerMail = `provider-${providerId}@example.test`;
    const requestId = await submitRequest(consumer);
    const { offerId } = await invited(suite, { id: providerId, subject: `provider-${providerId}` }, requestId);
    accepted(await provider.post(`/offers/${offerId}/propose`));
    const about = [`/requests/${requestId}`, `/offers/${offerId}`, booking.path];
    const paths = [
      ...about,
      ...about.map((path) => `${path}/timeline`),
      `/requests/${requestId}/offers`,
      `/requests/${requestId}/matches`,
      `/chat/${requestId}`,
      '/offers',
      '/bookings',
      '/leads',
      '/leads/insights',
      '/me/notifications',
      `/providers/${providerId}`,
      `/providers/${providerId}/reviews`,
    ];
    expect(leaked(await everything(provider, paths), hidden)).toEqual([]);
    expect(leaked(await everything(consumer, paths), { providerMail })).toEqual([]);
    const realtime = async () => [
      ...leaked(await events(`provider-${providerId}`, 'provider'), { ...hidden, providerMail }),
      ...leaked(await events(`consumer-${bookingId}`, 'consumer'), { ...hidden, providerMail }),
    ];
    expect(await realtime()).toEqual([]);
    for (const reader of [consumer, provider])
      expect(accepted(await reader.get(booking.path))).toMatchObject({ status: 'held', contact: null, address: null, checkInCode: null });
    expect(accepted(await provider.get(booking.path)).consumer.displayName).toBeNull();

    await booking.confirm();
    for (const reader of [consumer, provider]) {
      expect(accepted(await reader.get(booking.path))).toMatchObject({
        status: 'confirmed',
        address,
        consumer: { displayName: 'Dana Private' },
        contact: { consumer: { displayName: 'Dana Private', email: hidden.consumerMail }, provider: { email: providerMail } },
      });
    }
    // Timelines contain neither names nor addresses, also afterwards.
    expect(await realtime()).toEqual([]);
  });
});

describe('afterwards', () => {
  const shows = async ({ provider, consumer, path }: Booked): Promise<boolean> => {
    const seen: Json[] = await Promise.all([provider, consumer].map(async (reader) => accepted(await reader.get(path))));
    const shown = seen.map(({ contact, address }) => contact !== null && address !== null);
    expect(shown[0]).toBe(shown[1]);
    for (const { contact, address } of seen) expect(contact === null).toBe(address === null);
    return shown[0]!;
  };
  const missed = (policy: object = {}) => book(suite, { startsAt: quarter(-75 * minuteMs), policy });

  it('as long as the job lasts, and while something may be objected to, also after the run has ended', async () => {
    const booking = await missed({ reviewRemindMs: 1, reviewPublishMs: 1 });
    const seen = [await shows(booking)];
    accepted(await booking.consumer.post(`${booking.path}/check-in`));
    seen.push(await shows(booking));
    accepted(await booking.provider.post(`${booking.path}/complete`));
    seen.push(await shows(booking));
    await runEnded(suite, booking);
    accepted(await booking.consumer.post(`${booking.path}/dispute`, { reason: 'it leaks again' }));
    seen.push(await shows(booking));
    expect(seen).toEqual([true, true, true, true]);
    const operator = await suite.as('operator', 'admin');
    const ruling = { action: 'rule', ticket: 'T-1', reason: 'both were heard' };
    accepted(await operator.post(`/admin${booking.path}/intervene`, ruling));
    expect(await shows(booking)).toBe(false);
  });

  it('not after a cancellation: nobody comes', async () => {
    const booking = await book(suite);
    accepted(await booking.provider.post(`${booking.path}/cancel`));
    expect(await shows(booking)).toBe(false);
  });

  it.each([
    ['a completion that nobody may dispute any more', { disputeMs: 1 }, 'check-in', 'complete'],
    ['a no-show that nobody may contest any more', { contestMs: 1 }, 'no-show', undefined],
  ] as const)('not after %s', async (_what, policy, first, then) => {
    const booking = await missed(policy);
    accepted(await booking.consumer.post(`${booking.path}/${first}`));
    if (then) accepted(await booking.provider.post(`${booking.path}/${then}`));
    await eventually(
      () => shows(booking),
      (shown) => !shown,
      { what: 'the end of the window' },
    );
  });
});

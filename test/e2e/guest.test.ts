import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { randomUUID } from 'node:crypto';
import { caller, eventually } from '../support/http.ts';
import { seedPlace, seedProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite({ env: { AUTH_GUEST_SECRET: 'a-guest-secret-of-the-tests-32-bytes' } });
  await seedPlace(suite.orm);
  await seedProvider(suite.orm);
});
afterAll(() => suite.close());

describe('a guest', () => {
  it('chats, is asked to sign in before anything is sent, claims the conversation and sends it', async () => {
    const session = await fetch(`${suite.url}/api/v1/auth/guest`, { method: 'POST' });
    const { accessToken } = (await session.json()) as { accessToken: string };
    const guest = caller(suite.url, accessToken);
    const said = await guest.post('/chat', { message: 'A leak in my kitchen in Downtown, as soon as possible please' });
    expect(said.status).toBe(202);
    const { requestId } = said.body;
    const answered = (who: ReturnType<typeof caller>, turnId: string) =>
      eventually(
        async () => (await who.get(`/chat/${requestId}/turns/${turnId}`)).body,
        ({ status }) => status === 'done',
        { what: 'the answer' },
      );
    await answered(guest, said.body.turnId);
    const yes = await guest.post('/chat', { message: 'yes, send it', requestId });
    expect((await answered(guest, yes.body.turnId)).intent).not.toBe('submit');
    expect((await guest.get(`/chat/${requestId}`)).body.status).toBe('intake');
    expect((await guest.get('/requests')).status).toBe(403);

    const stranger = await suite.as('stranger', 'consumer');
    const other = (await (await fetch(`${suite.url}/api/v1/auth/guest`, { method: 'POST' })).json()) as { accessToken: string };
    expect(await stranger.post(`/chat/${requestId}/claim`, { guestToken: other.accessToken })).toMatchObject({
      status: 403,
      body: { code: 'not_owner' },
    });
    expect(await stranger.post(`/chat/${requestId}/claim`, { guestToken: await suite.token('x', 'consumer') })).toMatchObject({
      status: 422,
    });

    const consumer = await suite.as('signed-in', 'consumer');
    const claimed = await consumer.post(`/chat/${requestId}/claim`, { guestToken: accessToken }, { 'idempotency-key': randomUUID() });
    expect(claimed).toMatchObject({ status: 200, body: { status: 'intake', missing: [] } });
    expect(claimed.body.entries).toHaveLength(4);
    expect(await guest.get(`/chat/${requestId}`)).toMatchObject({ status: 403 });
    const again = await consumer.post('/chat', { message: 'yes please, send it', requestId });
    expect((await answered(consumer, again.body.turnId)).intent).toBe('submit');
    await eventually(
      async () => (await consumer.get(`/requests/${requestId}`)).body.status,
      (status) => status === 'offering',
    );
    const { body } = await consumer.get(`/requests/${requestId}/timeline`);
    expect(body.items[0].type).toBe('request.opened');
  });
});

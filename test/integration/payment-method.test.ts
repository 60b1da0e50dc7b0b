import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Caller } from '../support/http.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let suite: Suite;
let anna: Caller;
beforeAll(async () => {
  suite = await startSuite({ worker: false });
  anna = await suite.as('anna', 'consumer');
});
afterAll(() => suite.close());

const path = '/me/payment-method';
const store = (who: Caller, method: string, headers = {}) => who.send('PUT', path, { method }, headers);

describe('the payment method of a consumer', () => {
  it('is stored, replaced and forgotten; what is shown is that there is one', async () => {
    const ben = await suite.as('ben', 'consumer');
    expect((await ben.get(path)).body).toMatchObject({ stored: false, storedAt: null });
    const stored = await store(ben, 'pm_1MqLiJLkdIwHu7ixUEgbFdYF');
    expect(stored).toMatchObject({ status: 200, body: { stored: true, storedAt: expect.any(String), seq: 1 } });
    expect(JSON.stringify(stored.body)).not.toContain('pm_1Mq');
    expect((await store(ben, 'pm_card_visa')).body.seq).toBe(2);
    expect((await ben.get(path)).headers.get('etag')).toBe(stored.headers.get('etag')!.replace('1', '2'));
    expect((await ben.send('DELETE', path)).status).toBe(204);
    expect((await ben.get(path)).body).toMatchObject({ stored: false, storedAt: null, seq: 3 });
    expect((await ben.send('DELETE', path)).status).toBe(204);
    expect((await ben.get(path)).body.seq).toBe(3);
  });

  it('stands on the timeline without its token', async () => {
    await store(anna, 'pm_card_visa');
    await anna.send('DELETE', path);
    const events = await suite.rows<{ type: string }>("select * from event where stream like 'user/%' and type like '%payment%'");
    expect(new Set(events.map(({ type }) => type))).toEqual(new Set(['user.payment_method_stored', 'user.payment_method_removed']));
    expect(JSON.stringify(events)).not.toContain('pm_');
  });

  it.each([
    ['4242424242424242', 'a card number'],
    ['4242 4242 4242 4242', 'a card number with spaces'],
    ['pm_4242424242424242', 'a card number in disguise'],
    ['card_1', 'another kind of token'],
    ['tok_visa', 'another kind of token'],
    ['pm_', 'an empty token'],
    ['pm_x/../y', 'a path'],
  ])('%s is refused: %s', async (method) => {
    const refused = await store(anna, method);
    expect(refused).toMatchObject({ status: 422, body: { code: 'validation_failed', fields: [{ field: '/method' }] } });
    expect(JSON.stringify(refused.body)).not.toContain('4242');
  });

  it('a card beside the token is refused', async () => {
    const refused = await anna.send('PUT', path, { method: 'pm_card_visa', number: '4242424242424242' });
    expect(refused).toMatchObject({ status: 422, body: { code: 'validation_failed' } });
    expect(JSON.stringify(refused.body)).not.toContain('4242424242424242');
  });

  it('changes only the version that was read', async () => {
    const cleo = await suite.as('cleo', 'consumer');
    const etag = (await store(cleo, 'pm_card_visa')).headers.get('etag')!;
    await store(cleo, 'pm_card_mastercard', { 'if-match': etag });
    expect((await store(cleo, 'pm_card_visa', { 'if-match': etag })).status).toBe(412);
  });

  it('belongs to consumers: guests and providers have none', async () => {
    expect((await suite.anonymous.get(path)).status).toBe(401);
    expect((await (await suite.as('paul', 'provider')).get(path)).status).toBe(403);
  });

  it('replaced by another, the next booking attaches that one', async () => {
    const dora = await suite.as('dora', 'consumer');
    await store(dora, 'pm_of_dora');
    await suite.rows("update payment_method set attached = true, customer_ref = 'cus_1' where method_ref = 'pm_of_dora'");
    await store(dora, 'pm_of_dora_2');
    expect(await suite.rows("select attached, customer_ref from payment_method where method_ref = 'pm_of_dora_2'")).toEqual([
      { attached: false, customer_ref: 'cus_1' },
    ]);
  });
});

import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { defaultPolicy, type Policy } from '../../src/domain/policy.ts';
import { book, minuteMs, quarter, runEnded, until, type Booked } from '../support/booked.ts';
import { readableHistory } from '../support/history.ts';
import { eventually } from '../support/http.ts';
import { accepted } from '../support/play.ts';
import { leakRequest } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let suite: Suite;
beforeAll(async () => {
  suite = await startSuite();
});
afterAll(() => suite.close());

const refused = (status: number, code: string, more: object = {}) => ({ status, body: expect.objectContaining({ code, ...more }) });
const usd = (amount: number) => ({ amount, currency: 'USD' });
const hour = 60 * minuteMs;
const begun = () => quarter(-30 * minuteMs);
const codeOf = async ({ view }: Booked): Promise<string> => (await view()).checkInCode;
const checkIn = ({ provider, path }: Booked, code?: string, headers?: Record<string, string>) =>
  provider.post(`${path}/check-in`, code === undefined ? {} : { code }, headers);
/** Wrong check-in codes. */
const wrongCodes = (right: string, count: number) =>
  Array.from({ length: count }, (_, n) => String((Number(right) + n + 1) % 1_000_000).padStart(6, '0'));
const triesOf = async ({ id }: Booked) =>
  (await suite.rows<{ wrong: number }>('select wrong from check_in_code where booking_id = ?', [id]))[0]!.wrong;

describe('check-in', () => {
  it('with the code that the consumer shows, the job begins; the code is in no event, history or stored command', async () => {
    const booking = await book(suite, { startsAt: begun() });
    const code = await codeOf(booking);
    expect(code).toMatch(/^\d{6}$/);
    expect(accepted(await booking.provider.get(booking.path)).checkInCode).toBeNull();
    expect(accepted(await checkIn(booking, code))).toMatchObject({ status: 'in_progress', checkInCode: null });
    expect((await booking.view()).checkInCode).toBeNull();
    const { text } = await readableHistory(suite.temporal.workflow.getHandle(`request/${booking.requestId}`));
    const events = await suite.rows('select data, reason, command_id from event where stream = ?', [`booking/${booking.id}`]);
    // Between other digits the same six digits may be a part of an instant.
    const standsIn = new RegExp(`(?<![\\d])${code}(?![\\d])`);
    expect(text).not.toMatch(standsIn);
    expect(JSON.stringify(events)).not.toMatch(standsIn);
  });

  it('the consumer needs no code: theirs is the word that the provider has come', async () => {
    const booking = await book(suite, { startsAt: begun() });
    expect(accepted(await booking.consumer.post(`${booking.path}/check-in`))).toMatchObject({ status: 'in_progress' });
  });

  it('given no code or no six digits, the provider is told what is missing and no try is lost', async () => {
    const booking = await book(suite, { startsAt: begun() });
    for (const code of [undefined, '12345', '1234567', 'abcdef', '１２３４５６'])
      expect(await checkIn(booking, code)).toMatchObject(
        refused(422, 'validation_failed', { fields: [expect.objectContaining({ field: '/code' })] }),
      );
    expect(await triesOf(booking)).toBe(0);
  });

  it('a wrong code costs one of five tries, says how many are left, and the same key sent again costs none', async () => {
    const booking = await book(suite, { startsAt: begun() });
    const right = await codeOf(booking);
    const [wrong] = wrongCodes(right, 1);
    const key = { 'idempotency-key': randomUUID() };
    const first = await checkIn(booking, wrong, key);
    expect(first).toMatchObject(refused(422, 'wrong_code', { fields: [{ field: '/code', message: '4 tries are left' }] }));
    expect((await checkIn(booking, wrong, key)).body).toEqual({ ...first.body, requestId: expect.any(String) });
    expect(await triesOf(booking)).toBe(1);
    expect(accepted(await checkIn(booking, right))).toMatchObject({ status: 'in_progress' });
  });

  it('after five wrong ones even the right one is refused, however many come at once, until the consumer has made a new one', async () => {
    const booking = await book(suite, { startsAt: begun() });
    const right = await codeOf(booking);
    const answers = await Promise.all(wrongCodes(right, 20).map((code) => checkIn(booking, code)));
    const codes = answers.map(({ body }) => body.code);
    expect(codes.filter((code) => code === 'wrong_code')).toHaveLength(5);
    expect(codes.filter((code) => code === 'code_locked')).toHaveLength(15);
    expect(await checkIn(booking, right)).toMatchObject(refused(409, 'code_locked'));
    expect((await booking.view()).checkInCode).toBeNull();
    expect(await booking.provider.post(`${booking.path}/check-in-code`)).toMatchObject(refused(403, 'forbidden_role'));
    const { checkInCode: fresh } = accepted(await booking.consumer.post(`${booking.path}/check-in-code`));
    expect(fresh).toMatch(/^\d{6}$/);
    if (fresh !== right) expect(await checkIn(booking, right)).toMatchObject(refused(422, 'wrong_code'));
    expect(accepted(await checkIn(booking, fresh))).toMatchObject({ status: 'in_progress' });
    expect(await booking.consumer.post(`${booking.path}/check-in-code`)).toMatchObject(refused(409, 'invalid_transition'));
  });

  it('a provider who is a consumer elsewhere gets no new tries either', async () => {
    const booking = await book(suite, { startsAt: begun() });
    const twofold = await suite.as(`provider-${booking.providerId}`, 'consumer', 'provider');
    expect(await twofold.post(`${booking.path}/check-in-code`)).toMatchObject(refused(403, 'forbidden_role'));
    expect(await twofold.post(`${booking.path}/check-in`)).toMatchObject(refused(422, 'validation_failed'));
    expect((await twofold.get(booking.path)).body.checkInCode).toBeNull();
  });

  it('a new code is seen at once, also by those who ask whether anything has changed', async () => {
    const booking = await book(suite, { startsAt: begun() });
    const { headers, body } = await booking.consumer.get(booking.path);
    const known = { 'if-none-match': headers.get('etag')! };
    expect((await booking.consumer.get(booking.path, known)).status).toBe(304);
    let renewed = body.checkInCode;
    while (renewed === body.checkInCode) renewed = accepted(await booking.consumer.post(`${booking.path}/check-in-code`)).checkInCode;
    expect((await booking.consumer.get(booking.path, known)).body).toMatchObject({ checkInCode: renewed });
  });

  it('too early it is refused, whatever the code, and costs no try', async () => {
    const booking = await book(suite, { startsAt: quarter(3 * hour) });
    const right = await codeOf(booking);
    for (const code of [right, ...wrongCodes(right, 1)]) expect(await checkIn(booking, code)).toMatchObject(refused(409, 'too_early'));
    expect(await booking.consumer.post(`${booking.path}/check-in`)).toMatchObject(refused(409, 'too_early'));
    expect(await triesOf(booking)).toBe(0);
  });

  it('a booking of the first release has no code yet: the consumer makes one', async () => {
    const booking = await book(suite, { startsAt: begun(), old: true });
    await suite.rows('delete from check_in_code where booking_id = ?', [booking.id]);
    expect(await codeOf(booking)).toBeNull();
    expect(await checkIn(booking, '123456')).toMatchObject(refused(409, 'code_locked'));
    const { checkInCode } = accepted(await booking.consumer.post(`${booking.path}/check-in-code`));
    expect(accepted(await checkIn(booking, checkInCode))).toMatchObject({ status: 'in_progress', payment: null, fee: null });
  });
});

describe('completion', () => {
  const inProgress = async (policy: Partial<Policy> = {}) => {
    const booking = await book(suite, { startsAt: begun(), policy, price: 15_000 });
    accepted(await booking.consumer.post(`${booking.path}/check-in`));
    return booking;
  };
  const complete = ({ provider, path }: Booked, finalPrice?: object) => provider.post(`${path}/complete`, finalPrice ? { finalPrice } : {});

  it('at the agreed price, or at another one within the bounds that were agreed on', async () => {
    const [plain, within] = await Promise.all([inProgress(), inProgress({ finalPrice: { minPercent: 50, maxPercent: 120 } })]);
    expect(accepted(await complete(plain))).toMatchObject({ status: 'completed', finalPrice: usd(15_000), fee: null });
    expect(accepted(await complete(within, usd(18_000)))).toMatchObject({ status: 'completed', finalPrice: usd(18_000) });
  });

  it.each([7_499, 18_001])('outside them (%d) it is refused, naming the bounds, and nothing has happened', async (amount) => {
    const booking = await inProgress({ finalPrice: { minPercent: 50, maxPercent: 120 } });
    expect(await complete(booking, usd(amount))).toMatchObject(
      refused(422, 'price_out_of_bounds', { fields: [{ field: '/finalPrice', message: '75.00 USD to 180.00 USD' }] }),
    );
    expect(await complete(booking, { amount: 15_000, currency: 'EUR' })).toMatchObject(refused(422, 'validation_failed'));
    expect(await booking.view()).toMatchObject({ status: 'in_progress', finalPrice: null });
  });

  it('only the provider completes, and not before the check-in', async () => {
    const booking = await book(suite, { startsAt: begun() });
    const early = await complete(booking);
    expect(early).toMatchObject(refused(409, 'invalid_transition', { currentStatus: 'confirmed' }));
    expect(early.body.next).toContainEqual(expect.objectContaining({ action: 'reportNoShow', href: `/api/v1${booking.path}/no-show` }));
    accepted(await booking.consumer.post(`${booking.path}/check-in`));
    expect(await booking.consumer.post(`${booking.path}/complete`)).toMatchObject(refused(403, 'forbidden_role'));
  });

  it('given nobody says anything, it completes by itself at the agreed price, checked in or not', async () => {
    // This slot ended an hour ago.
    const startsAt = quarter(-2 * hour);
    const silent = await book(suite, { startsAt, policy: { autoCompleteMs: 1, reviewRemindMs: 1_000, reviewPublishMs: 2_000 } });
    expect(await until(silent, 'completed')).toMatchObject({ finalPrice: usd(15_000) });
    expect(await silent.types()).toEqual(['booking.held', 'booking.confirmed', 'booking.checked_in', 'booking.completed']);
    expect(await silent.told('provider')).toEqual(['booking_confirmed', 'booking_completed']);
    const late = refused(409, 'invalid_transition', { currentStatus: 'completed', allowed: ['disputeBooking'] });
    expect(await silent.consumer.post(`${silent.path}/cancel`)).toMatchObject(late);
    await runEnded(suite, silent);
    expect(await silent.consumer.post(`${silent.path}/cancel`)).toMatchObject(late);
  });
});

describe('cancellation', () => {
  const startsAt = quarter(5 * hour);
  const left = startsAt - Date.now();
  /** Cancellation tiers: 0 % with at least `free` milliseconds of notice, 40 % with at least `cheap`, else 100 %. */
  const tiers = (free: number, cheap: number): Partial<Policy> => ({
    cancellation: {
      version: 'test',
      noShowFeePercent: 100,
      tiers: [
        { beforeMs: free, feePercent: 0 },
        { beforeMs: cheap, feePercent: 40 },
        { beforeMs: 0, feePercent: 100 },
      ],
    },
  });
  const preview = ({ consumer, path }: Booked) => consumer.get(`${path}/cancel/preview`);

  it.each([
    ['in time', tiers(left - hour, hour), 0, 0],
    ['at short notice', tiers(left + hour, hour), 40, 6_000],
    ['at the last moment', tiers(left + 2 * hour, left + hour), 100, 15_000],
  ] as const)('%s: the preview is the charge, to the cent', async (_when, policy, feePercent, fee) => {
    const booking = await book(suite, { startsAt, policy });
    const shown = accepted(await preview(booking));
    expect(shown).toMatchObject({ fee: usd(fee), feePercent, released: null, policyVersion: 'test' });
    const cancelled = accepted(await booking.consumer.post(`${booking.path}/cancel`, { fee: shown.fee, reason: 'changed my mind' }));
    expect(cancelled).toMatchObject({ status: 'cancelled', statusReason: 'cancelled', fee: shown.fee });
    expect(await booking.told('provider')).toEqual(['booking_confirmed', 'booking_cancelled']);
    expect(await preview(booking)).toMatchObject(refused(409, 'invalid_transition'));
  });

  it('says when it gets dearer; with the fee that was shown, what has become dearer is refused and nothing has happened', async () => {
    const booking = await book(suite, { startsAt, policy: tiers(startsAt - Date.now() - 8_000, hour) });
    const shown = accepted(await preview(booking));
    expect(shown.fee).toEqual(usd(0));
    const now = await eventually(
      () => preview(booking),
      ({ body }) => body.fee.amount > 0,
      { what: 'the next tier' },
    );
    expect(Date.parse(shown.until)).toBeLessThanOrEqual(Date.now());
    expect(now.body).toMatchObject({ fee: usd(6_000), until: new Date(startsAt - hour).toISOString() });
    const dearer = await booking.consumer.post(`${booking.path}/cancel`, { fee: shown.fee });
    expect(dearer).toMatchObject(refused(409, 'fee_changed', { detail: 'Cancelling costs 60.00 USD now.' }));
    expect(await booking.view()).toMatchObject({ status: 'confirmed', fee: null });
    expect(await booking.consumer.post(`${booking.path}/cancel`, { fee: { amount: 6_000, currency: 'EUR' } })).toMatchObject(
      refused(422, 'validation_failed'),
    );
    expect(accepted(await booking.consumer.post(`${booking.path}/cancel`, { fee: usd(7_000) }))).toMatchObject({ fee: usd(6_000) });
  });

  it('a provider or an operator who cancels costs the consumer nothing, and the preview says so', async () => {
    const policy = tiers(left + 2 * hour, left + hour);
    const [byProvider, byOperator] = await Promise.all([book(suite, { startsAt, policy }), book(suite, { startsAt, policy })]);
    expect(accepted(await byProvider.provider.get(`${byProvider.path}/cancel/preview`))).toMatchObject({
      fee: usd(0),
      feePercent: 0,
      until: null,
    });
    expect(accepted(await byProvider.provider.post(`${byProvider.path}/cancel`))).toMatchObject({
      fee: usd(0),
      statusReason: 'provider_dropped',
    });
    const operator = await suite.as('operator', 'admin');
    const cancel = { action: 'cancel', ticket: 'T-1', reason: 'the street is closed' };
    expect(accepted(await operator.post(`/admin${byOperator.path}/intervene`, cancel))).toMatchObject({ status: 'cancelled', fee: usd(0) });
    expect(await byOperator.told('consumer')).toEqual(['booking_confirmed', 'booking_cancelled']);
  });

  it('a booking of the first release costs what the first policy with a price for it says', async () => {
    const booking = await book(suite, { startsAt, old: true });
    const { tiers: known, version } = defaultPolicy.cancellation;
    const percent = known.find(({ beforeMs }) => startsAt - Date.now() >= beforeMs)!.feePercent;
    const shown = accepted(await preview(booking));
    expect(shown).toMatchObject({ feePercent: percent, policyVersion: version });
    expect(accepted(await booking.consumer.post(`${booking.path}/cancel`))).toMatchObject({ fee: shown.fee });
  });
});

describe('an operator', () => {
  it('intervenes with ticket and reason; without them, as somebody else, or where it makes no sense, it is refused', async () => {
    const booking = await book(suite, { startsAt: begun() });
    const operator = await suite.as('operator', 'admin');
    const path = `/admin${booking.path}/intervene`;
    const act = (action: string, more: object = {}) => operator.post(path, { action, ticket: 'T-7', reason: 'asked by phone', ...more });
    expect(await booking.consumer.post(path, { action: 'cancel', ticket: 'T', reason: 'r' })).toMatchObject(refused(403, 'forbidden_role'));
    expect(await operator.post(path, { action: 'cancel' })).toMatchObject(refused(422, 'validation_failed'));
    expect(await act('vanish')).toMatchObject(refused(422, 'validation_failed'));
    for (const action of ['complete', 'rule', 'retry_payment', 'write_off'])
      expect(await act(action)).toMatchObject(refused(409, 'invalid_transition'));
    accepted(await booking.consumer.post(`${booking.path}/check-in`));
    expect(accepted(await act('complete'))).toMatchObject({ status: 'completed' });
    const [event] = await suite.rows(
      "select actor_role, reason, data ->> 'ticket' as ticket from event where stream = ? and type = 'operator.intervened'",
      [`booking/${booking.id}`],
    );
    expect(event).toEqual({ actor_role: 'admin', reason: 'asked by phone', ticket: 'T-7' });
    // Only operators see who intervened and why.
    const { items } = accepted(await booking.consumer.get(`${booking.path}/timeline`));
    expect(items.map(({ type }: { type: string }) => type)).not.toContain('operator.intervened');
    expect(await operator.post(`/admin/bookings/${randomUUID()}/intervene`, { action: 'cancel', ticket: 'T', reason: 'r' })).toMatchObject(
      refused(404, 'not_found'),
    );
  });

  it('intervenes with a request as well', async () => {
    const consumer = await suite.as('helped', 'consumer');
    const { id } = accepted(await consumer.post('/requests', leakRequest()));
    const operator = await suite.as('operator', 'admin');
    const act = (action: string) => operator.post(`/admin/requests/${id}/intervene`, { action, ticket: 'T-8', reason: 'asked by phone' });
    expect(await act('rematch')).toMatchObject(refused(409, 'invalid_transition'));
    expect(accepted(await act('close'))).toMatchObject({ status: 'cancelled', statusReason: 'operator' });
    const body = { action: 'close', ticket: 'T', reason: 'r' };
    expect(await consumer.post(`/admin/requests/${id}/intervene`, body)).toMatchObject(refused(403, 'forbidden_role'));
    expect(await operator.post(`/admin/requests/${randomUUID()}/intervene`, body)).toMatchObject(refused(404, 'not_found'));
  });

  it('paying where nothing is to be paid is refused', async () => {
    const booking = await book(suite);
    expect(await booking.consumer.post(`${booking.path}/pay`)).toMatchObject(refused(409, 'invalid_transition'));
    expect(await booking.provider.post(`${booking.path}/pay`)).toMatchObject(refused(403, 'forbidden_role'));
  });
});

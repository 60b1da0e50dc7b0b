import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { eventually, type Caller } from '../support/http.ts';
import { city, leakRequest, seedProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

const application = {
  displayName: 'Ana of the Pipes',
  bio: 'Twenty years of pipes',
  zone: city.zone,
  location: { lat: city.lat, lon: city.lon },
  radiusKm: 20,
  services: [{ code: 'plumbing.leak', price: { amount: 15_000, currency: 'USD' }, durationMinutes: 60 }],
  availability: [1, 2, 3, 4, 5, 6, 7].map((weekday) => ({ weekday, startMinute: 0, endMinute: 1440 })),
  credentials: [{ kind: 'licence', category: 'plumbing', reference: 'NY-12345', validUntil: '2035-01-01T00:00:00.000Z' }],
};

let suite: Suite;
let operator: Caller;
beforeAll(async () => {
  suite = await startSuite();
  operator = await suite.as('operator', 'admin');
});
afterAll(() => suite.close());

const statusIs = (caller: Caller, id: string, status: string) =>
  eventually(
    () => caller.get(`/enrollments/${id}`),
    ({ body }) => body.status === status,
    { what: status },
  );

/** A user with an approved application. `provider` calls with the new role. */
async function enrolled(change: object = {}) {
  const subject = `applicant-${randomUUID()}`;
  const applicant = await suite.as(subject, 'consumer');
  const created = await applicant.post('/enrollments', { ...application, ...change });
  expect(created).toMatchObject({ status: 201, body: { status: 'draft' } });
  const { id, applicantId } = created.body;
  expect(await applicant.post(`/enrollments/${id}/submit`)).toMatchObject({ status: 200 });
  await statusIs(operator, id, 'in_review');
  expect(await operator.post(`/enrollments/${id}/decide`, { verdict: 'approve' })).toMatchObject({
    status: 200,
    body: { status: 'approved' },
  });
  return { subject, id: applicantId as string, enrollmentId: id as string, applicant, provider: await suite.as(subject, 'provider') };
}

describe('becoming a provider over HTTP', () => {
  it('draft, refusals that name what is missing, submission, decision, and a public profile without contact data', async () => {
    const subject = `applicant-${randomUUID()}`;
    const applicant = await suite.as(subject, 'consumer');
    const { body: draft, headers } = await applicant.post('/enrollments', { displayName: 'Ana' });
    expect(headers.get('location')).toBe(`/api/v1/enrollments/${draft.id}`);
    expect(await applicant.post(`/enrollments/${draft.id}/submit`)).toMatchObject({
      status: 409,
      body: { code: 'draft_incomplete', fields: expect.arrayContaining([expect.objectContaining({ field: '/zone' })]) },
    });
    expect(await applicant.post('/enrollments', {})).toMatchObject({ status: 409, body: { code: 'invalid_transition' } });
    const changed = await applicant.patch(
      `/enrollments/${draft.id}`,
      { ...application, displayName: undefined },
      { 'if-match': `"${draft.seq}"` },
    );
    expect(changed).toMatchObject({ status: 200, body: { application: { displayName: 'Ana', radiusKm: 20 } } });
    expect(await applicant.patch(`/enrollments/${draft.id}`, { radiusKm: 30 }, { 'if-match': `"${draft.seq}"` })).toMatchObject({
      status: 412,
    });
    expect(await applicant.post(`/enrollments/${draft.id}/submit`)).toMatchObject({ status: 200 });
    await statusIs(applicant, draft.id, 'in_review');
    expect(await applicant.post(`/enrollments/${draft.id}/decide`, { verdict: 'approve' })).toMatchObject({ status: 403 });
    expect((await operator.get('/enrollments?status=in_review')).body.items.map(({ id }: { id: string }) => id)).toContain(draft.id);
    expect(await operator.post(`/enrollments/${draft.id}/decide`, { verdict: 'approve' })).toMatchObject({
      status: 200,
      body: { status: 'approved' },
    });
    expect(await operator.post(`/enrollments/${draft.id}/decide`, { verdict: 'approve' })).toMatchObject({
      status: 409,
      body: { code: 'invalid_transition' },
    });

    const shown = await suite.anonymous.get(`/providers/${draft.applicantId}`);
    expect(shown).toMatchObject({
      status: 200,
      body: {
        displayName: 'Ana',
        rating: null,
        services: [{ code: 'plumbing.leak', price: { amount: 15_000 } }],
        credentials: [{ kind: 'licence', category: 'plumbing' }],
      },
    });
    for (const secret of ['NY-12345', subject, 'email', String(city.lat)]) expect(JSON.stringify(shown.body)).not.toContain(secret);
    expect((await applicant.get('/me/notifications?unread=true')).body.items).toEqual([
      expect.objectContaining({ kind: 'enrollment_approved', about: `enrollment/${draft.id}` }),
    ]);
  });

  it('somebody else’s application is nobody’s business', async () => {
    const { enrollmentId } = await enrolled();
    const stranger = await suite.as(`stranger-${randomUUID()}`, 'consumer');
    expect(await stranger.get(`/enrollments/${enrollmentId}`)).toMatchObject({ status: 403 });
    expect((await stranger.get('/enrollments')).body.items).toEqual([]);
    expect(await stranger.get(`/enrollments/${randomUUID()}`)).toMatchObject({ status: 404 });
  });

  it.each([
    ['a field of ours', { status: 'approved' }, 'validation_failed', '/status'],
    [
      'a price outside the bounds',
      { services: [{ ...application.services[0], price: { amount: 1, currency: 'USD' } }] },
      'price_out_of_bounds',
      '/services/0/price/amount',
    ],
    ['a photo that is not https', { portfolio: [{ url: 'javascript:alert(1)' }] }, 'validation_failed', '/portfolio/0/url'],
    ['an unknown zone', { zone: 'Mars/Olympus' }, 'validation_failed', '/zone'],
  ])('%s is refused and named', async (_, change, code, field) => {
    const applicant = await suite.as(`applicant-${randomUUID()}`, 'consumer');
    const refused = await applicant.post('/enrollments', { ...application, ...change });
    expect(refused).toMatchObject({ status: 422, body: { code, fields: expect.arrayContaining([expect.objectContaining({ field })]) } });
  });

  it('given the same Idempotency-Key twice, there is one application', async () => {
    const applicant = await suite.as(`applicant-${randomUUID()}`, 'consumer');
    const key = { 'idempotency-key': randomUUID() };
    const [first, second] = [await applicant.post('/enrollments', {}, key), await applicant.post('/enrollments', {}, key)];
    expect([first.status, second.status, second.body.id]).toEqual([201, 201, first.body.id]);
  });
});

describe('a provider’s own profile', () => {
  it('changes are seen at once, and an old version is refused', async () => {
    const { provider, id } = await enrolled();
    const { body: own, headers } = await provider.get('/providers/me');
    const etag = headers.get('etag')!;
    expect(await provider.get('/providers/me', { 'if-none-match': etag })).toMatchObject({ status: 304 });
    const changed = await provider.patch(
      '/providers/me',
      { bio: 'New', location: { lat: 41, lon: -75 }, dailyCap: 3 },
      { 'if-match': etag },
    );
    expect(changed).toMatchObject({ status: 200, body: { bio: 'New', dailyCap: 3, displayName: own.displayName, seq: own.seq + 1 } });
    expect(await provider.patch('/providers/me', { bio: 'Late' }, { 'if-match': etag })).toMatchObject({
      status: 412,
      body: { code: 'precondition_failed' },
    });
    const near = (lat: number, lon: number) => suite.anonymous.get(`/providers?service=plumbing.leak&near=${lat},${lon}`);
    expect((await near(41, -75)).body.items).toContainEqual(expect.objectContaining({ id, distanceKm: 0 }));
    expect(await suite.rows('select 1 from open_stream where stream = ?', [`provider/${id}`])).toEqual([]);
  });

  it('given twenty changes at once, none is lost', async () => {
    const { provider } = await enrolled();
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => provider.patch('/providers/me', n % 2 ? { capacity: n + 1 } : { horizonDays: n + 10 })),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200));
    expect((await provider.get('/providers/me')).body.seq).toBe(20);
  });

  it('a pause takes them out of the search, a second pause changes nothing', async () => {
    const { provider, id } = await enrolled();
    expect(await provider.patch('/providers/me', { status: 'paused' })).toMatchObject({ status: 200, body: { status: 'paused', seq: 1 } });
    expect(await provider.patch('/providers/me', { status: 'paused' })).toMatchObject({ body: { seq: 1 } });
    expect(
      (await suite.anonymous.get('/providers?service=plumbing.leak&limit=100')).body.items.map((item: { id: string }) => item.id),
    ).not.toContain(id);
    expect(await provider.patch('/providers/me', { status: 'active' })).toMatchObject({ body: { status: 'active', seq: 2 } });
  });

  it('services follow the catalogue’s rules', async () => {
    const { provider } = await enrolled();
    const put = (code: string, body: object) => provider.send('PUT', `/providers/me/services/${code}`, body);
    const terms = { price: { amount: 30_000, currency: 'USD' }, durationMinutes: 60 };
    expect(await put('electrical.lighting', terms)).toMatchObject({ status: 409, body: { code: 'credential_lapsed' } });
    expect(await put('photo.portrait', terms)).toMatchObject({ status: 409, body: { code: 'portfolio_too_small' } });
    expect(await put('plumbing.leak', { ...terms, price: { amount: 1, currency: 'USD' } })).toMatchObject({
      status: 422,
      body: { code: 'price_out_of_bounds' },
    });
    expect(await put('nothing.such', terms)).toMatchObject({ status: 422 });
    const changed = await put('plumbing.leak', { ...terms, bufferAfterMinutes: 30 });
    expect(changed).toMatchObject({
      status: 200,
      body: { services: [{ code: 'plumbing.leak', price: { amount: 30_000 }, bufferAfterMinutes: 30, active: true }] },
    });
  });

  it('who is no provider has no profile', async () => {
    const nobody = await suite.as(`nobody-${randomUUID()}`, 'provider');
    expect(await nobody.get('/providers/me')).toMatchObject({ status: 404 });
    expect(await nobody.patch('/providers/me', { bio: 'x' })).toMatchObject({ status: 404 });
    expect(await (await suite.as('consumer-only', 'consumer')).get('/providers/me')).toMatchObject({ status: 403 });
  });
});

describe('finding providers', () => {
  it('by distance, page by page, each once', async () => {
    const made = await Promise.all([1, 2, 3, 4, 5].map((n) => seedProvider(suite.orm, { lat: 10 + n / 100, lon: 20 })));
    const found: string[] = [];
    let cursor = '';
    do {
      const { body } = await suite.anonymous.get(`/providers?service=plumbing.leak&near=10,20&limit=2${cursor && `&cursor=${cursor}`}`);
      found.push(...body.items.map(({ id }: { id: string }) => id));
      cursor = body.nextCursor ?? '';
    } while (cursor);
    expect(found).toEqual(made.map(({ id }) => id));
  });

  it.each(['near=1,2', 'service=x&near=100,0', 'service=x&near=abc', 'limit=1000', 'cursor=forged', 'colour=red'])(
    '%s is refused',
    async (query) => {
      expect(await suite.anonymous.get(`/providers?${query}`)).toMatchObject({ status: 422 });
    },
  );
});

describe('the catalogue', () => {
  it('is public, cacheable and leads to its services', async () => {
    const { body, headers } = await suite.anonymous.get('/catalogue');
    expect(headers.get('cache-control')).toBe('public, max-age=300');
    expect(await suite.anonymous.get('/catalogue', { 'if-none-match': headers.get('etag')! })).toMatchObject({ status: 304 });
    for (const category of body.categories) {
      expect(await suite.anonymous.get(`/catalogue/${category.code}`)).toMatchObject({
        status: 200,
        body: { services: category.services },
      });
      for (const { code } of category.services)
        expect(await suite.anonymous.get(`/catalogue/services/${code}`)).toMatchObject({
          status: 200,
          body: { code, category: category.code },
        });
    }
    expect(await suite.anonymous.get('/catalogue/nothing')).toMatchObject({ status: 404 });
    expect(await suite.anonymous.get('/catalogue/services/nothing')).toMatchObject({ status: 404 });
  });
});

describe('me', () => {
  it('profile and preferences change in part, and an old version is refused', async () => {
    const me = await suite.as(`me-${randomUUID()}`, 'consumer');
    const { body, headers } = await me.get('/me');
    expect(body).toMatchObject({ preferences: { mail: true }, seq: 0 });
    const changed = await me.patch('/me', { displayName: 'Kim', preferences: { mail: false } }, { 'if-match': headers.get('etag')! });
    expect(changed).toMatchObject({ status: 200, body: { displayName: 'Kim', zone: 'UTC', preferences: { mail: false }, seq: 1 } });
    expect(await me.patch('/me', { zone: 'Europe/Vienna' }, { 'if-match': headers.get('etag')! })).toMatchObject({ status: 412 });
    expect(await me.patch('/me', { displayName: null })).toMatchObject({ body: { displayName: null, preferences: { mail: false } } });
    expect(await me.patch('/me', { roles: ['admin'] })).toMatchObject({ status: 422, body: { fields: [{ field: '/roles' }] } });
  });

  it('a notification is read by its owner only, and the first time counts', async () => {
    const { applicant } = await enrolled();
    const [notification] = (await applicant.get('/me/notifications')).body.items;
    const stranger = await suite.as(`stranger-${randomUUID()}`, 'consumer');
    expect(await stranger.post(`/me/notifications/${notification.id}/read`)).toMatchObject({ status: 404 });
    const { body: read } = await applicant.post(`/me/notifications/${notification.id}/read`);
    expect(read.readAt).toEqual(expect.any(String));
    expect((await applicant.post(`/me/notifications/${notification.id}/read`)).body.readAt).toBe(read.readAt);
    expect((await applicant.get('/me/notifications?unread=true')).body.items).toEqual([]);
  });
});

describe('reviews over HTTP', () => {
  it('after a completed booking both sides write, both are published, and the provider may answer', async () => {
    const seeded = await seedProvider(suite.orm);
    const provider = await suite.as(seeded.subject, 'provider');
    const consumer = await suite.as(`consumer-${randomUUID()}`, 'consumer');
    const { body: request } = await consumer.post('/requests', leakRequest({ submit: true }));
    const leads = await eventually(
      async () => (await provider.get('/leads?status=invited')).body.items,
      (items) => items.length > 0,
      { what: 'the invitation' },
    );
    const offerId = leads[0].offer.id;
    await provider.post(`/offers/${offerId}/propose`);
    const { body: accepted } = await consumer.post(`/offers/${offerId}/accept`);
    const booking = `/bookings/${accepted.bookingId}`;
    await eventually(
      async () => (await consumer.get(booking)).body,
      ({ status }) => status === 'confirmed',
      { what: 'the confirmation' },
    );
    expect(await consumer.post(`${booking}/review`, { rating: 5 })).toMatchObject({ status: 409, body: { code: 'invalid_transition' } });
    await provider.post(`${booking}/check-in`, { code: (await consumer.get(booking)).body.checkInCode });
    await provider.post(`${booking}/complete`);

    const written = await consumer.post(`${booking}/review`, { rating: 4, text: 'Quick and clean.' });
    expect(written).toMatchObject({ status: 201, body: { by: 'consumer', status: 'submitted', rating: 4 } });
    expect(await consumer.post(`${booking}/review`, { rating: 1 })).toMatchObject({ status: 409, body: { code: 'already_reviewed' } });
    expect(await consumer.post(`${booking}/review`, { rating: 6 })).toMatchObject({ status: 422 });
    const reviews = `/providers/${seeded.id}/reviews`;
    expect((await suite.anonymous.get(reviews)).body.items).toEqual([]);
    expect(await provider.post(`/reviews/${written.body.id}/reply`, { text: 'Too early' })).toMatchObject({ status: 404 });

    expect(await provider.post(`${booking}/review`, { rating: 5 })).toMatchObject({
      status: 201,
      body: { by: 'provider', status: 'published' },
    });
    expect((await suite.anonymous.get(reviews)).body.items).toEqual([
      expect.objectContaining({ rating: 4, text: 'Quick and clean.', reply: null }),
    ]);
    expect((await suite.anonymous.get(`/providers/${seeded.id}`)).body).toMatchObject({ rating: 4, reviews: 1 });
    expect(await consumer.post(`${booking}/review`, { rating: 5 })).toMatchObject({ status: 409, body: { code: 'already_reviewed' } });

    expect(await consumer.post(`/reviews/${written.body.id}/reply`, { text: 'Mine' })).toMatchObject({ status: 403 });
    expect(await provider.post(`/reviews/${written.body.id}/reply`, { text: 'Thank you!' })).toMatchObject({
      status: 200,
      body: { reply: 'Thank you!' },
    });
    expect(await provider.post(`/reviews/${written.body.id}/reply`, { text: 'Again' })).toMatchObject({ status: 409 });
    expect(await provider.post(`/reviews/${written.body.id}/report`, { reason: 'spam' })).toMatchObject({ status: 204 });
    expect(await suite.rows('select reported from review where id = ?', [written.body.id])).toEqual([{ reported: true }]);
    expect(await suite.rows('select 1 from review_draft')).toEqual([]);
    expect(request.id).toEqual(expect.any(String));
  });
});

// Many writers change one draft at once, on real servers. Only the draft that somebody saw last and agreed to may be sent.
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { startModel, streams, type Behaviour } from '../integration/llm.server.ts';
import { caller, eventually, type Answer, type Caller, type Json } from '../support/http.ts';
import { accepted } from '../support/play.ts';
import { city, leakRequest, seedPlace, seedProvider } from '../support/seed.ts';
import { startSuite, type Suite } from '../support/suite.ts';

let suite: Suite;
let model: Awaited<ReturnType<typeof startModel>>;
/** Of one guest with many conversations. */
let guestToken: string;

/** A slow model: it reads `Note: …`, `budget $…` and a yes after a pause that the message names. */
const slowReader: Behaviour = async (response, call, index) => {
  const text = /<message>\s*([\s\S]*?)\s*<\/message>\s*$/.exec(String(call.body.messages.at(-1).content))?.[1] ?? '';
  const commands = [
    ...[...text.matchAll(/note: (.+?)\./gi)].map(([, value]) => ({ do: 'set_fact', key: 'notes', value })),
    ...[...text.matchAll(/budget (\$\d+)/gi)].map(([, value]) => ({ do: 'set_fact', key: 'budget', value })),
    ...(/^yes/i.test(text) ? [{ do: 'confirm_draft', key: null, value: null }] : []),
  ];
  await sleep(Number(/wait (\d+)/.exec(text)?.[1] ?? 20));
  await streams({ ack: 'Ok.', commands }, { size: 1_000 })(response, call, index);
};

beforeAll(async () => {
  model = await startModel(slowReader);
  suite = await startSuite({
    env: { AUTH_GUEST_SECRET: 'a-guest-secret-of-the-tests-32-bytes', OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'test' },
    policy: { maxPendingTurns: 20 },
  });
  guestToken = (await suite.anonymous.post('/auth/guest')).body.accessToken;
  await seedPlace(suite.orm);
  await Promise.all(Array.from({ length: 3 }, () => seedProvider(suite.orm)));
});
afterAll(async () => {
  await suite?.close();
  await model?.stop();
});

const tomorrow = (hours: number) => {
  const from = new Date(Date.now() + 86_400_000 + hours * 3_600_000);
  return { from: from.toISOString(), to: new Date(from.getTime() + 4 * 3_600_000).toISOString(), zone: city.zone };
};

/** One action of a writer. The numbers make values and pauses different. */
type Writer =
  | { does: 'patch'; parts: ('when' | 'notes' | 'budget' | 'room' | 'place' | 'mode')[]; n: number }
  | { does: 'say' | 'yes' | 'submit' | 'claim'; n: number };

const writer: fc.Arbitrary<Writer> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      does: fc.constant('patch' as const),
      parts: fc.uniqueArray(
        fc.constantFrom('when' as const, 'notes' as const, 'budget' as const, 'room' as const, 'place' as const, 'mode' as const),
        { minLength: 1, maxLength: 3 },
      ),
      n: fc.nat(120),
    }),
  },
  { weight: 4, arbitrary: fc.record({ does: fc.constant('say' as const), n: fc.nat(120) }) },
  { weight: 2, arbitrary: fc.record({ does: fc.constant('yes' as const), n: fc.nat(120) }) },
  { weight: 3, arbitrary: fc.record({ does: fc.constant('submit' as const), n: fc.nat(120) }) },
  { weight: 1, arbitrary: fc.record({ does: fc.constant('claim' as const), n: fc.nat(120) }) },
);

const partOf = (part: string, n: number): object =>
  ({
    when: { when: tomorrow(n % 40) },
    notes: { notes: `written ${n}` },
    budget: { budget: { amount: 30_000 + n, currency: 'USD' } },
    room: { details: { room: n % 2 ? 'kitchen' : 'bathroom' } },
    place: { location: { ...city, address: `${n} Main Street` } },
    mode: { mode: n % 2 ? 'instant' : 'compare' },
  })[part]!;

interface Sent {
  answer: Answer;
  body?: Json;
  /** The draft that the writer had read before it submitted. */
  shown?: Json;
}

async function play({ as, requestId, guest }: Conversation, { does, n, ...more }: Writer): Promise<Sent> {
  await sleep(n * 3);
  switch (does) {
    case 'patch': {
      const body = Object.assign({}, ...(more as { parts: string[] }).parts.map((part) => partOf(part, n)));
      return { answer: await as.patch(`/requests/${requestId}`, body), body };
    }
    case 'say':
      return { answer: await as.post('/chat', { requestId, message: `Note: said ${n}. My budget $${400 + n}. wait ${n * 2}` }) };
    case 'yes':
      return { answer: await as.post('/chat', { requestId, message: 'Yes, send it' }) };
    case 'submit': {
      const { body: shown } = await as.get(`/requests/${requestId}`);
      await sleep(n % 7);
      return { shown, answer: await as.post(`/requests/${requestId}/submit`, { draftHash: shown.draftHash ?? 'none' }) };
    }
    case 'claim':
      return { answer: await (n % 2 ? as : guest).post(`/chat/${requestId}/claim`, { guestToken }) };
  }
}

interface Conversation {
  as: Caller;
  guest: Caller;
  requestId: string;
}

/** A guest's conversation, claimed by a consumer, with a complete draft. */
async function conversation(n: number): Promise<Conversation> {
  const guest = caller(suite.url, guestToken);
  const { requestId } = accepted(await guest.post('/chat', { message: 'wait 1' }));
  const as = await suite.as(`writer-${n}`, 'consumer');
  accepted(await as.post(`/chat/${requestId}/claim`, { guestToken }));
  const { mode: _mode, ...facts } = leakRequest({ when: tomorrow(1), mode: undefined }) as Json;
  accepted(await as.patch(`/requests/${requestId}`, facts));
  return { as, guest, requestId };
}

interface DraftEvent {
  seq: number;
  type: string;
  data: Json;
}

async function check({ as, requestId }: Conversation, sent: readonly Sent[]): Promise<'sent' | 'open'> {
  const allowed = [200, 202, 409, 429, 403];
  expect(sent.map(({ answer }) => answer.status).filter((status) => !allowed.includes(status))).toEqual([]);
  // In intake every message gets an answer. A turn that was running when the request was sent out also ends.
  await eventually(
    () =>
      suite.rows<{ open: number }>(
        `select count(*) filter (where t.status = 'streaming' or t.status = 'pending' and r.status = 'intake' or t.status = 'done' and not exists (
           select 1 from event e where e.stream = t.stream and e.type = 'turn.completed' and e.data ->> 'turnId' = t.id::text))::int as open
         from turn t join request r on t.stream = 'request/' || r.id where r.id = ?`,
        [requestId],
      ),
    ([row]) => row!.open === 0,
    { what: 'the end of every turn' },
  );
  const events = await suite.rows<DraftEvent>('select seq, type, data from event where stream = ? order by seq', [`request/${requestId}`]);
  const facts = await suite.rows<{ id: string; key: string; value: Json; status: string }>(
    'select id, key, value, status from fact where stream = ?',
    [`request/${requestId}`],
  );
  const valueOf = (id: string) => facts.find((fact) => fact.id === id)!.value;

  // Every fact that disappears has an event that removes it.
  let before: { key: string; factId: string }[] = [];
  for (const { data } of events.filter(({ data }) => data.draft)) {
    const after = data.draft.facts as typeof before;
    const gone = before.filter(({ key }) => !after.some((fact) => fact.key === key)).map(({ key }) => key);
    expect(data.dropped ?? []).toEqual(gone);
    before = after;
  }
  // Every accepted change was effective: an event made the change a part of the draft.
  const everEffective = new Set(
    events.flatMap(({ data }) => (data.draft?.facts ?? []).map(({ factId }: Json) => JSON.stringify(valueOf(factId)))),
  );
  const inOrder = (value: Json): string =>
    [...everEffective].find((text) => fc.stringify(sorted(JSON.parse(text))) === fc.stringify(sorted(value))) ?? '';
  for (const { answer, body } of sent.filter(({ answer, body }) => body && answer.status === 200)) {
    for (const value of Object.values({ ...body, ...body.details, details: undefined, mode: undefined })) {
      if (value !== undefined) expect([answer.body.id, value, inOrder(value) !== '']).toEqual([answer.body.id, value, true]);
    }
  }
  // A refusal because of a newer change shows the fresh draft.
  for (const { answer } of sent.filter(({ answer }) => answer.body?.code === 'draft_changed'))
    expect(answer.body.current).toMatchObject({ id: requestId, facts: { service: 'plumbing.leak' } });

  const submitted = events.find(({ type }) => type === 'request.submitted');
  if (!submitted) return 'open';
  const draft = events.findLast(({ seq, data }) => seq < submitted.seq && data.draft)!.data.draft;
  expect(submitted.data.facts).toEqual(draft.facts);
  expect(submitted.data.draftHash).toBe(draft.hash);
  expect(draft.missing).toEqual([]);
  const agreed = Object.fromEntries(draft.facts.map(({ key, factId }: Json) => [key, valueOf(factId)]));
  const byHand = sent.filter(({ shown, answer }) => shown?.status === 'intake' && answer.status === 200 && shown.draftHash === draft.hash);
  for (const { shown } of byHand) expect(shown.facts).toEqual(agreed);
  if (byHand.length === 0) {
    const [turn] = await suite.rows<{ outcome: Json }>(
      `select outcome from turn where stream = ? and intent = 'submit' and outcome -> 'answer' ->> 'agreed' = ?`,
      [`request/${requestId}`, draft.hash],
    );
    expect(turn).toBeDefined();
  }
  // The request can be matched with exactly these facts.
  const { facts: read, mode } = await eventually(
    async () => (await as.get(`/requests/${requestId}`)).body,
    ({ status }) => ['offering', 'unfilled', 'booked'].includes(status),
    { what: 'the first round' },
  );
  expect(read).toEqual(agreed);
  expect(draft.hash.startsWith(mode)).toBe(true);
  return 'sent';
}

const sorted = (value: Json): Json =>
  value && typeof value === 'object'
    ? Object.fromEntries(
        Object.entries(value)
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, item]) => [key, sorted(item)]),
      )
    : value;

describe('writers of one draft', () => {
  it('up to 16 writers at once: what is sent is what was shown last and agreed to, and nothing disappears unsaid', async () => {
    const plays = fc.sample(fc.array(writer, { minLength: 2, maxLength: 16 }), { numRuns: 24, seed: 9 });
    const ends: string[] = [];
    for (let first = 0; first < plays.length; first += 4) {
      const some = plays.slice(first, first + 4).map(async (writers, index) => {
        const talk = await conversation(first + index);
        return check(talk, await Promise.all(writers.map((one) => play(talk, one))));
      });
      ends.push(...(await Promise.all(some)));
    }
    // The test proves nothing unless its plays reach both ends.
    expect(new Set(ends)).toEqual(new Set(['sent', 'open']));
  });

  it('two PATCHes that do not contradict each other both count', async () => {
    const talk = await conversation(100);
    const [when, notes] = await Promise.all([
      talk.as.patch(`/requests/${talk.requestId}`, { when: tomorrow(7) }),
      talk.as.patch(`/requests/${talk.requestId}`, { notes: 'ring twice' }),
    ]);
    expect([when.status, notes.status]).toEqual([200, 200]);
    const { body } = await talk.as.get(`/requests/${talk.requestId}`);
    expect(body.facts).toMatchObject({ when: when.body.facts.when, notes: 'ring twice', budget: { amount: 40_000 } });
  });

  it('two PATCHes of an application count both; of one part at once, one may be refused with the application as it is', async () => {
    const applicant = await suite.as('applicant', 'consumer');
    const { id } = accepted(await applicant.post('/enrollments', { displayName: 'Ana' }));
    const patch = (body: object) => applicant.patch(`/enrollments/${id}`, body);
    const [bio, radius] = await Promise.all([patch({ bio: 'Twenty years' }), patch({ radiusKm: 30 })]);
    expect([bio.status, radius.status]).toEqual([200, 200]);
    const racing = await Promise.all([1, 2, 3, 4].map((n) => patch({ radiusKm: n * 10, bio: `Version ${n}` })));
    const { body } = await applicant.get(`/enrollments/${id}`);
    const written = racing.filter(({ status }) => status === 200).map((answer) => answer.body.application);
    expect(written).toContainEqual(body.application);
    expect(body.application).toMatchObject({ displayName: 'Ana', bio: `Version ${body.application.radiusKm / 10}` });
    for (const { status, body: refused } of racing.filter(({ status: of }) => of !== 200))
      expect({ status, refused }).toMatchObject({ status: 409, refused: { code: 'draft_changed', current: { id, status: 'draft' } } });
  });

  it('a PATCH while the model thinks is neither lost nor does it stop the answer', async () => {
    const talk = await conversation(101);
    const { turnId } = accepted(await talk.as.post('/chat', { requestId: talk.requestId, message: 'Note: said late. wait 400' }));
    accepted(await talk.as.patch(`/requests/${talk.requestId}`, { budget: { amount: 33_300, currency: 'USD' } }));
    const { body: turn } = await eventually(
      () => talk.as.get(`/chat/${talk.requestId}/turns/${turnId}`),
      ({ body }) => body.status === 'done',
      { what: 'the answer' },
    );
    expect(turn.reply).toContain('$333');
    await eventually(
      async () => (await talk.as.get(`/requests/${talk.requestId}`)).body.facts,
      (facts) => facts.notes === 'said late' && facts.budget.amount === 33_300,
      { what: 'both changes' },
    );
  });

  it('If-Match is decided by the run: a retry of what was carried out is answered, not refused', async () => {
    const talk = await conversation(102);
    const read = await talk.as.get(`/requests/${talk.requestId}`);
    const headers = { 'if-match': read.headers.get('etag')!, 'idempotency-key': 'the-same-key-twice' };
    const first = await talk.as.patch(`/requests/${talk.requestId}`, { notes: 'first' }, headers);
    expect(first.status).toBe(200);
    // The answer was lost, and the row that stores the answer was lost with it.
    await suite.rows('delete from idempotency_key where true returning 1');
    expect(await talk.as.patch(`/requests/${talk.requestId}`, { notes: 'first' }, headers)).toMatchObject({
      status: 200,
      body: { facts: { notes: 'first' } },
    });
    expect(await talk.as.patch(`/requests/${talk.requestId}`, { notes: 'second' }, { 'if-match': headers['if-match'] })).toMatchObject({
      status: 412,
      body: { code: 'precondition_failed' },
    });
  });
});

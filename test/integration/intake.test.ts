import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { MockActivityEnvironment } from '@temporalio/testing';
import { DefaultLogger } from '@temporalio/worker';
// oxlint-disable-next-line proxie/one-sql-path -- makes the database, and listens on a connection of its own
import pg from 'pg';
import { intakeActivities, type TurnOutcome } from '../../src/activities/intake.ts';
import { pieces } from '../../src/activities/intake.delta.ts';
import { openOrm, sql, type Db, type Orm } from '../../src/db/orm.ts';
import { storeCatalogue } from '../../src/db/queries/catalogue.ts';
import { seedCatalogue } from '../../src/domain/intake/catalogue-seed.ts';
import { createInterpreter } from '../../src/integrations/llm/create.ts';
import type { Interpreter } from '../../src/integrations/llm/interpreter.ts';
import { createOfflineInterpreter } from '../../src/integrations/llm/offline/interpreter.ts';
import { fails, startModel, streams } from './llm.server.ts';
import { mergeDraft } from '../../src/domain/request/draft.ts';
import { emptyRequest } from '../../src/domain/request/evolve.ts';
import { stageDraft } from '../../src/db/queries/draft-staging.ts';

const now = Date.parse('2026-11-18T15:00:00Z');
const server = process.env['PROXIE_TEST_POSTGRES_URL']!;
const name = `intake_${randomUUID().slice(0, 8)}`;
const databaseUrl = Object.assign(new URL(server), { pathname: `/${name}` }).href;
let orm: Orm;

async function onServer(text: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  await client.query(text);
  await client.end();
}

beforeAll(async () => {
  await onServer(`create database ${name} template ${process.env['PROXIE_TEST_TEMPLATE']}`);
  orm = await openOrm({ databaseUrl, poolMax: 5 });
  await storeCatalogue(db(), seedCatalogue);
  await sql(
    db(),
    `insert into place (name, aliases, region, lat, lon, zone) values ('Brooklyn', '{}', 'NY', 40.6, -73.9, 'America/New_York') on conflict do nothing`,
  );
});
afterAll(async () => {
  await orm?.close(true);
  await onServer(`drop database if exists ${name} with (force)`);
});

/** Failures are expected here. The tests assert them, so the log does not print them. */
const quiet = () => new MockActivityEnvironment({}, { logger: new DefaultLogger('ERROR', () => {}) });
const db = () => orm.em.fork() as Db;

/** A request in intake, with the workflow's steps around `runTurn`: post a message, then make the facts current. */
async function conversation(interpreter: Interpreter = createOfflineInterpreter(), role = 'consumer') {
  const [requestId, consumerId] = [randomUUID(), randomUUID()];
  await sql(db(), `insert into user_account (id, issuer, subject, zone) values (?, 'test', ?, 'America/New_York')`, [
    consumerId,
    consumerId,
  ]);
  await sql(db(), `insert into request (id, consumer_id, catalogue_version) values (?, ?, 1)`, [requestId, consumerId]);
  const activities = intakeActivities({ orm, interpreter, clock: () => now });
  const stream = `request/${requestId}`;

  async function post(text: string) {
    const ids = { requestId, turnId: randomUUID(), messageId: randomUUID() };
    await sql(db(), 'insert into message (id, stream, author_id, author_role, text, turn_id) values (?, ?, ?, ?, ?, ?)', [
      ids.messageId,
      stream,
      consumerId,
      role,
      text,
      ids.turnId,
    ]);
    await sql(db(), 'insert into turn (id, stream) values (?, ?)', [ids.turnId, stream]);
    return ids;
  }
  const run = (ids: Awaited<ReturnType<typeof post>>, environment = quiet()) =>
    environment.run(activities.runTurn, ids) as Promise<TurnOutcome>;
  let draft = emptyRequest.draft;
  async function apply({ changes }: Pick<TurnOutcome, 'changes'>) {
    draft = mergeDraft(draft, {}, changes, 'compare').draft;
    const ids = `{${draft.facts.map(({ factId }) => factId).join(',')}}`;
    await sql(db(), `update fact set status = case when id = any(?::uuid[]) then 'current' else 'replaced' end where stream = ?`, [
      ids,
      stream,
    ]);
  }
  const turnRow = async (turnId: string) =>
    (
      await sql<{
        status: string;
        reply: string;
        model: string;
        attempt: number;
        input_tokens: number;
        outcome: { fellBack: string | null };
      }>(db(), 'select * from turn where id = ?', [turnId])
    )[0]!;
  const facts = (status = 'staged') =>
    sql<{ key: string; value: unknown; source_message_id: string }>(
      db(),
      'select * from fact where stream = ? and status = ? order by key',
      [stream, status],
    );
  async function say(text: string) {
    const ids = await post(text);
    const outcome = await run(ids);
    await apply(outcome);
    return { ...outcome, draft, reply: (await turnRow(ids.turnId)).reply };
  }
  return { requestId, consumerId, post, run, apply, turnRow, facts, say };
}

describe('a turn', () => {
  it('stages facts with their message, writes the reply, and returns ids and codes only', async () => {
    const { post, run, turnRow, facts } = await conversation();
    const ids = await post('I am Jo, jo@example.org: I need a haircut in Brooklyn tomorrow at 3pm, at 12 Secret Street. Note: ring twice');
    const outcome = await run(ids);
    const staged = await facts();
    expect(staged.map(({ key }) => key)).toEqual(['location', 'notes', 'service', 'when']);
    expect(staged.every(({ source_message_id }) => source_message_id === ids.messageId)).toBe(true);
    expect(await turnRow(ids.turnId)).toMatchObject({
      status: 'done',
      model: 'offline',
      attempt: 1,
      reply: expect.stringContaining('How long is your hair?'),
    });
    expect(outcome).toMatchObject({
      intent: 'ask',
      changes: {
        service: { code: 'hair.cut', required: ['service', 'hair_length', 'location', 'when'] },
        region: 'Brooklyn',
        windowEndsAt: '2026-11-19T20:30:00Z',
      },
    });
    expect(JSON.stringify(outcome)).not.toMatch(/Secret|jo@|Jo|ring/);
    expect(JSON.stringify(outcome).length).toBeLessThan(1_000);
  });

  it('a conversation ends in the yes to exactly the draft that was shown', async () => {
    const { say } = await conversation();
    expect((await say('hi')).intent).toBe('chat');
    expect((await say('I need a cleaner, 2 bedrooms')).intent).toBe('clarify');
    expect((await say('the deep one')).draft.missing).toEqual(['location', 'when']);
    expect((await say('Brooklyn')).draft.missing).toEqual(['when']);
    const shown = await say('tomorrow between 2 and 4');
    expect([shown.intent, shown.draft.hash]).toEqual(['confirm', expect.any(String)]);
    expect(shown.reply).toContain('Shall I send this to providers?');
    const changed = await say('yes, but at 5pm');
    expect([changed.intent, changed.draft.hash === shown.draft.hash]).toEqual(['confirm', false]);
    const sent = await say('yes please');
    expect([sent.intent, sent.agreed]).toEqual(['submit', changed.draft.hash]);
  });

  it('an edit outside the chat makes a yes ask again', async () => {
    const { say, apply, requestId } = await conversation();
    await say('haircut in Brooklyn tomorrow at 3pm, long hair');
    await apply(await stageDraft(db(), { requestId, facts: { details: { hair_length: 'short' } } }));
    expect((await say('yes')).intent).toBe('confirm');
    expect((await say('yes')).intent).toBe('submit');
  });

  it('nothing is sent for a guest', async () => {
    const { say } = await conversation(undefined, 'guest');
    await say('haircut in Brooklyn tomorrow at 3pm, long hair');
    expect(await say('yes')).toMatchObject({ intent: 'confirm', reply: expect.stringContaining('sign in') });
  });
});

describe('a turn that runs again', () => {
  it('after it has finished, is looked up: no second call, the same answer', async () => {
    let calls = 0;
    const offline = createOfflineInterpreter();
    const { post, run, facts } = await conversation({ interpret: (...input) => ((calls += 1), offline.interpret(...input)) });
    const ids = await post('I need a haircut');
    const first = await run(ids);
    expect(await run(ids)).toEqual(first);
    expect([calls, (await facts()).length]).toEqual([1, 1]);
  });

  it('after it has finished under an earlier release, whose answer a run cannot read any more, is answered again', async () => {
    const { post, run, apply } = await conversation();
    const ids = await post('my sink is leaking');
    const old = { answer: { intent: 'clarify', draft: emptyRequest.draft }, asked: null, draftShown: null, fellBack: null };
    await sql(db(), `update turn set status = 'done', outcome = ?::jsonb where id = ?`, [JSON.stringify(old), ids.turnId]);
    const { changes } = await run(ids);
    expect(changes.service.code).toBe('plumbing.leak');
    await apply({ changes });
  });

  it('twice at the same time, stages its facts once and answers the same', async () => {
    let begun = 0;
    const offline = createOfflineInterpreter();
    const { promise: both, resolve } = Promise.withResolvers<void>();
    const { post, run, facts, turnRow } = await conversation({
      async interpret(...input) {
        if ((begun += 1) === 2) resolve();
        await both;
        return offline.interpret(...input);
      },
    });
    const ids = await post('I need a haircut in Brooklyn');
    const [first, second] = await Promise.all([run(ids), run(ids)]);
    expect(second).toEqual(first);
    expect((await facts()).length).toBe(2);
    expect((await turnRow(ids.turnId)).attempt).toBe(2);
  });

  it('after a crash midway, begins again as the next attempt', async () => {
    const { post, run, turnRow, facts } = await conversation();
    const ids = await post('I need a haircut');
    await sql(db(), `update turn set status = 'streaming', attempt = 1 where id = ?`, [ids.turnId]);
    expect((await run(ids)).intent).toBe('ask');
    expect([(await turnRow(ids.turnId)).attempt, (await facts()).length]).toEqual([2, 1]);
  });

  it.each(['superseded', 'failed'])('given a turn that is %s, writes nothing and does not retry', async (status) => {
    const { post, run, facts } = await conversation();
    const ids = await post('I need a haircut');
    await sql(db(), 'update turn set status = ? where id = ?', [status, ids.turnId]);
    await expect(run(ids)).rejects.toMatchObject({ type: 'not_found', nonRetryable: true });
    expect(await facts()).toEqual([]);
  });

  it("given another request's turn or message, writes nothing", async () => {
    const [mine, theirs] = [await conversation(), await conversation()];
    const [own, other] = [await mine.post('I need a haircut'), await theirs.post('I need a cleaner')];
    await expect(mine.run({ ...own, messageId: other.messageId })).rejects.toMatchObject({ type: 'not_found' });
    await expect(mine.run({ ...own, turnId: other.turnId })).rejects.toMatchObject({ type: 'not_found' });
    expect([...(await mine.facts()), ...(await theirs.facts())]).toEqual([]);
  });
});

describe('with a model', () => {
  const reading = { ack: 'A haircut in Brooklyn, lovely.', commands: [{ do: 'set_fact', key: 'service', value: 'hair.cut' }] };

  it('pieces of the answer travel out of band, in order, with the ids that a client needs', async () => {
    const listener = new pg.Client({ connectionString: databaseUrl });
    await listener.connect();
    const heard: { turnId: string; userId: string; attempt: number; seq: number; delta: string }[] = [];
    // The model continues only after its first words were received: this proves that they are sent out of band.
    const begun = Promise.withResolvers<void>();
    listener.on('notification', ({ payload }) => (heard.push(JSON.parse(payload!)), begun.resolve()));
    await listener.query('listen proxie_turn');
    const model = await startModel(streams(reading, { wait: () => begun.promise }));
    try {
      const { post, run, turnRow, consumerId } = await conversation(createInterpreter({ baseUrl: model.baseUrl, model: 'm' }));
      const ids = await post('I need a haircut in Brooklyn');
      await run(ids);
      await listener.query('select 1');
      expect(heard.length).toBeGreaterThan(1);
      expect(heard.map(({ seq }) => seq)).toEqual(heard.map((_one, index) => index + 1));
      expect(heard[0]).toMatchObject({ turnId: ids.turnId, userId: consumerId, attempt: 1 });
      expect(
        heard
          .map(({ delta }) => delta)
          .join('')
          .trim(),
      ).toBe(reading.ack);
      expect(await turnRow(ids.turnId)).toMatchObject({
        model: 'm',
        input_tokens: 100,
        reply: `${reading.ack} How long is your hair? (Short / Medium / Long)`,
      });
    } finally {
      await listener.end();
      await model.stop();
    }
  });

  it('that fails, the person is answered all the same and the row says why', async () => {
    const model = await startModel(fails(500));
    try {
      const { post, run, turnRow } = await conversation(createInterpreter({ baseUrl: model.baseUrl, model: 'm' }));
      const ids = await post('I need a haircut');
      expect((await run(ids)).changes.service.code).toBe('hair.cut');
      expect(await turnRow(ids.turnId)).toMatchObject({ status: 'done', model: 'offline', outcome: { fellBack: 'unavailable' } });
    } finally {
      await model.stop();
    }
  });

  it('a cancelled turn stops and stays open', async () => {
    const model = await startModel(() => {});
    try {
      const { post, run, turnRow } = await conversation(createInterpreter({ baseUrl: model.baseUrl, model: 'm' }));
      const ids = await post('I need a haircut');
      const environment = quiet();
      setTimeout(() => environment.cancel(), 100);
      await expect(run(ids, environment)).rejects.toThrow();
      expect((await turnRow(ids.turnId)).status).toBe('streaming');
    } finally {
      await model.stop();
    }
  });
});

describe('pieces of a notice', () => {
  it('stay below the limit and lose nothing', () => {
    const text = 'é🙂"\\'.repeat(2_000);
    expect(pieces(text).join('')).toBe(text);
    for (const piece of pieces(text)) expect(Buffer.byteLength(JSON.stringify(piece))).toBeLessThan(7_000);
    expect(pieces('')).toEqual([]);
  });
});

import { describe, expect, it } from '@jest/globals';
import { startModel, streams, type Behaviour } from '../integration/llm.server.ts';
import { eventually } from '../support/http.ts';
import { accepted } from '../support/play.ts';
import { seedPlace } from '../support/seed.ts';
import { startSuite } from '../support/suite.ts';

const people = 40;

describe('POST /chat', () => {
  // How many milliseconds an acknowledgement takes is measured by `npm run bench:chat-ack` (docs/performance.md).
  it('given a model that does not answer, every chat is acknowledged all the same, and answered when the model is back', async () => {
    let answerAll = () => {};
    const back = new Promise<void>((resolve) => (answerAll = resolve));
    const answer = streams({ ack: 'One moment.', commands: [] });
    const waiting: Behaviour = async (...call) => {
      await back;
      await answer(...call);
    };
    const model = await startModel(waiting);
    const suite = await startSuite({ env: { OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'test', LLM_TIMEOUT_MS: '55000' } });
    try {
      await seedPlace(suite.orm);
      const callers = await Promise.all(Array.from({ length: people }, (_, n) => suite.as(`person-${n}`, 'consumer')));
      const chats = await Promise.all(callers.map((caller) => caller.post('/chat', { message: 'My kitchen sink is leaking' })));
      expect(chats.map(({ status }) => status)).toEqual(chats.map(() => 202));
      const turns = chats.map((chat, n) => () => callers[n]!.get(`/chat/${accepted(chat).requestId}/turns/${accepted(chat).turnId}`));
      await eventually(
        async () => model.calls,
        ({ length }) => length > 0,
        { what: 'a call of the model' },
      );
      for (const turn of turns) expect((await turn()).body.status).not.toBe('done');
      answerAll();
      for (const turn of turns) await eventually(turn, ({ body }) => body.status === 'done', { what: 'the answer' });
    } finally {
      answerAll();
      await suite.close();
      await model.stop();
    }
  });
});

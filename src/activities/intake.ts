import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import type { Db, Orm } from '../db/orm.ts';
import { sqlStateOf } from '../db/transaction.ts';
import { advance, type Advance } from '../domain/intake/decide.ts';
import { replyTo } from '../domain/intake/reply.ts';
import type { TurnIntent } from '../domain/request/types.ts';
import { createInterpreter } from '../integrations/llm/create.ts';
import type { Interpretation, Interpreter } from '../integrations/llm/interpreter.ts';
import { formatWindow } from '../integrations/llm/window.ts';
import { beating } from './beating.ts';
import { deltaSender } from './intake.delta.ts';
import {
  beginTurn,
  finishedTurn,
  finishTurn,
  placesReader,
  reopenTurn,
  type TurnEnd,
  type TurnIds,
  type TurnOutcome,
  type TurnStart,
} from './intake.store.ts';
import { iso } from '../domain/time.ts';
import { draftHash } from '../domain/request/draft.ts';
import type { StoredFact } from '../db/queries/draft.ts';
import type { KnownFacts } from '../domain/intake/types.ts';

export interface RunTurnInput extends TurnIds {
  /** Position up to which the run knows its draft. An answer that was given on an older draft is given again. */
  after?: number;
}
export type { TurnOutcome } from './intake.store.ts';

export interface IntakeDeps {
  orm: Orm;
  /** Understands messages; default: the offline interpreter. */
  interpreter?: Interpreter;
  /** Milliseconds since the epoch. */
  clock?: () => number;
}

/** SQLSTATE classes of errors that no retry cures. All other errors can pass (no connection, read-only, disk full). */
const hopeless = /^(22|23|42)/;
const HEARTBEAT_MS = 4_000;

export type IntakeActivities = ReturnType<typeof intakeActivities>;

export function intakeActivities({ orm, interpreter = createInterpreter(), clock = Date.now }: IntakeDeps) {
  const readPlaces = placesReader(orm);

  async function answer(ids: RunTurnInput, signal: AbortSignal): Promise<TurnOutcome> {
    const em = orm.em.fork() as Db;
    const before = await finishedTurn(em, ids.turnId);
    if (before && !isOlder(before.answer, ids.after)) return before.answer;
    if (before) await reopenTurn(em, ids.turnId);
    const start = await beginTurn(em, ids);
    if (!start) return endedMeanwhile(em, ids);
    const read = start.read ?? (await understand(ids, start, signal));
    // Somebody may change the draft while a model works. The interpretation is then applied to the new draft.
    for (let draft = start.draft; ;) {
      const done = await finishTurn(orm, ids, { ...start, draft }, decideTurn({ ...start, draft }, read));
      if (!done) return endedMeanwhile(em, ids);
      if (!('stale' in done)) return done;
      draft = done.stale;
    }
  }

  /** Applies the rules to an interpretation. */
  function decideTurn(start: TurnStart, read: Interpretation): TurnEnd {
    const { catalogue, before, draft, mode } = start;
    const now = clock();
    const shownBefore = before.draftShown === draftHash(draft.facts, mode) ? 'current' : 'earlier';
    const turn = advance({
      catalogue,
      known: knownFacts(draft.facts),
      proposals: read.proposals,
      asked: before.asked,
      draftShown: before.draftShown === null ? 'none' : shownBefore,
      now,
    });
    const { intent, reply } = say(turn, start, now, read.ack);
    const shown = turn.step.do === 'chat' ? turn.step.pending : turn.step;
    const showsDraft = shown.do === 'confirm' || shown.do === 'submit';
    return { intent, reply, accepted: turn.accepted, valid: Object.keys(turn.facts), asked: turn.asked, showsDraft, read };
  }

  /**
   * The answer of a turn that is not open any more, because another run of this activity has answered it.
   * @throws not_found when the turn was given up or never existed
   */
  async function endedMeanwhile(em: Db, { turnId }: RunTurnInput): Promise<TurnOutcome> {
    const ended = await finishedTurn(em, turnId);
    if (!ended) throw ApplicationFailure.nonRetryable('there is no such open turn', 'not_found');
    return ended.answer;
  }

  async function understand({ requestId, turnId }: TurnIds, start: TurnStart, signal: AbortSignal): Promise<Interpretation> {
    const { catalogue, consumerId, attempt, before, draft } = start;
    const deltas = deltaSender(orm, { userId: consumerId, requestId, turnId, attempt });
    const places = await readPlaces();
    try {
      const input = {
        ...start.input,
        catalogue,
        known: knownFacts(draft.facts),
        asked: before.asked,
        draftShown: before.draftShown !== null,
        places,
        now: iso(clock()),
      };
      return await interpreter.interpret(input, { signal, onDelta: deltas.push });
    } finally {
      await deltas.close();
    }
  }

  return {
    /**
     * Answers one message: understands it, lets the rules decide, stages the facts, writes the reply. Running it again is safe: a finished
     * turn is only looked up. A turn always ends in a reply, because the interpreter falls back to reading offline.
     */
    async runTurn(ids: RunTurnInput): Promise<TurnOutcome> {
      heartbeat();
      try {
        return await beating(HEARTBEAT_MS, () => answer(ids, cancellationSignal()));
      } catch (error) {
        const state = sqlStateOf(error);
        if (state && hopeless.test(state)) throw ApplicationFailure.nonRetryable(`a turn was refused by Postgres (${state})`, 'internal');
        throw error;
      }
    },
  };
}

/** The reply, and what the workflow does next. */
function say(turn: Advance, { catalogue, guest }: TurnStart, now: number, ack: string | undefined): { intent: TurnIntent; reply: string } {
  if (turn.step.do === 'submit' && guest)
    return { intent: 'confirm', reply: 'Your request is ready. Please sign in first; then say yes again and I will send it.' };
  const words = {
    catalogue,
    turn,
    formatWindow: (window: Parameters<typeof formatWindow>[0]) => formatWindow(window, iso(now)),
  };
  return { intent: turn.step.do, reply: replyTo({ ...words, ...(ack ? { ack } : {}) }) };
}

const knownFacts = (facts: readonly StoredFact[]): KnownFacts =>
  Object.fromEntries(facts.map(({ key, value, confidence, confirmed }) => [key, { value, confidence, confirmed }]));

/** Whether an answer was given on an older draft than the run's. Answers of the first two releases name no draft, so they are given again. */
const isOlder = ({ changes }: Partial<TurnOutcome>, after = 0): boolean => changes === undefined || changes.basedOn < after;

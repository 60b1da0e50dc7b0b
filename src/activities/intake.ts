import { cancellationSignal, heartbeat } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { draftHash } from '../contracts/draft.ts';
import type { Db, Orm } from '../db/orm.ts';
import { sqlStateOf } from '../db/transaction.ts';
import { advance, type Advance } from '../domain/intake/decide.ts';
import { replyTo } from '../domain/intake/reply.ts';
import type { TurnIntent } from '../domain/request/types.ts';
import { createInterpreter } from '../integrations/llm/create.ts';
import type { Interpreter } from '../integrations/llm/interpreter.ts';
import { formatWindow } from '../integrations/llm/window.ts';
import { beating } from './beating.ts';
import { deltaSender } from './intake.delta.ts';
import { beginTurn, finishedTurn, finishTurn, placesReader, type TurnIds, type TurnOutcome, type TurnStart } from './intake.store.ts';
import { iso } from '../domain/time.ts';

export type RunTurnInput = TurnIds;
export type { TurnOutcome } from './intake.store.ts';

export interface IntakeDeps {
  orm: Orm;
  /** How messages are understood; without one, offline. */
  interpreter?: Interpreter;
  /** Milliseconds since the epoch. */
  clock?: () => number;
}

/** SQLSTATE classes that no retry cures. Everything else (no connection, read-only, full) passes. */
const hopeless = /^(22|23|42)/;
const HEARTBEAT_MS = 4_000;

export type IntakeActivities = ReturnType<typeof intakeActivities>;

export function intakeActivities({ orm, interpreter = createInterpreter(), clock = Date.now }: IntakeDeps) {
  const readPlaces = placesReader(orm);

  async function answer(ids: RunTurnInput, signal: AbortSignal): Promise<TurnOutcome> {
    const em = orm.em.fork() as Db;
    const before = await finishedTurn(em, ids.turnId);
    if (before) return before.answer;
    const start = await beginTurn(em, ids);
    if (!start) return endedMeanwhile(em, ids);
    const now = clock();
    const { read, turn } = await understand(ids, start, now, signal);
    const { intent, reply } = say(turn, start, now, read.ack);
    const shown = turn.step.do === 'chat' ? turn.step.pending : turn.step;
    const draftShown = shown.do === 'confirm' || shown.do === 'submit' ? shown.hash : start.before.draftShown;
    const end = { intent, reply, accepted: turn.accepted, valid: Object.keys(turn.facts), asked: turn.asked, draftShown, read };
    return (await finishTurn(orm, ids, start, end)) ?? endedMeanwhile(em, ids);
  }

  /** A run of the same turn beside this one has answered it; otherwise it was given up, or never was. */
  async function endedMeanwhile(em: Db, { turnId }: RunTurnInput): Promise<TurnOutcome> {
    const ended = await finishedTurn(em, turnId);
    if (!ended) throw ApplicationFailure.nonRetryable('there is no such open turn', 'not_found');
    return ended.answer;
  }

  async function understand({ requestId, turnId }: RunTurnInput, start: TurnStart, now: number, signal: AbortSignal) {
    const { catalogue, consumerId, attempt, before } = start;
    const known = Object.fromEntries(start.facts.map(({ key, value, confidence, confirmed }) => [key, { value, confidence, confirmed }]));
    const deltas = deltaSender(orm, { userId: consumerId, requestId, turnId, attempt });
    const places = await readPlaces();
    try {
      const input = {
        ...start.input,
        catalogue,
        known,
        asked: before.asked,
        draftShown: before.draftShown !== null,
        places,
        now: iso(now),
      };
      const read = await interpreter.interpret(input, { signal, onDelta: deltas.push });
      const turn = advance({
        catalogue,
        known,
        proposals: read.proposals,
        asked: before.asked,
        draftShown: before.draftShown,
        now,
        hashOf: draftHash,
      });
      return { read, turn };
    } finally {
      await deltas.close();
    }
  }

  return {
    /**
     * Answers one message: understands it, lets the rules decide, stages the facts, writes the reply. Safe to run again: a
     * finished turn is only looked up. Always ends in a reply, because the interpreter falls back to reading offline.
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

/** What is said, and what the workflow does next. */
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

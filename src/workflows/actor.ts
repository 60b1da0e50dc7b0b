// The loop every workflow stands on: commands one at a time; state changes only by folding what the timeline says.
import { ApplicationFailure, condition, proxyLocalActivities } from '@temporalio/workflow';
import type { AppendActivities } from '../activities/timeline.ts';
import { SYSTEM } from '../domain/actor.ts';
import { DomainError } from '../domain/errors.ts';
import { catchUpRows, type CommandRefused, type EventBase, type Recorded, type StreamState } from '../domain/timeline.ts';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';
import { iso } from '../domain/time.ts';
import { isOutside, refusedOutside, refusing, unreadable } from './refusal.ts';
import { needAttention } from './attention.ts';

// A database that is away for a minute is waited for inside the task; a second apart, so that recovery is quick.
const { append } = proxyLocalActivities<AppendActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', maximumInterval: '1s' },
});

export interface Actor<S extends StreamState, C> {
  /** Folded from the timeline; read it, never change it. */
  readonly state: S;
  readonly seq: number;
  /** Decides, writes and folds one command in its turn; a command that needs an activity is made in that turn. Fails with the refusal. */
  commit(command: C | (() => Promise<C>)): Promise<CommandAnswer>;
  /**
   * The run's own command (timers, next steps). One that no longer fits changes nothing; one that the world outside the
   * stream refuses parks the run, marked for attention, until an operator has repaired it and sent `catchUp`.
   * @returns the refusal of one that no longer fitted
   */
  act(command: C | (() => Promise<C>)): Promise<ApplicationFailure | undefined>;
  /** A validator: refuses for free, but only while nothing is in flight (the state is about to change otherwise). */
  refuse(command: C): void;
  /** For signals: a refusal is written on the timeline instead of failing anything. `send` defaults to `commit`. */
  commitFact<F extends C>(command: F, send?: (command: F) => Promise<CommandAnswer>): Promise<void>;
  /** Folds what stands on the timeline without writing. */
  learn(): Promise<void>;
  /** No command is being worked on. */
  idle(): boolean;
}

interface ActorOptions<S extends StreamState, C, E extends EventBase> {
  stream: string;
  initial: S;
  seq?: number;
  /** Opens the stream. The first command is written together with it: one transaction, one round through the workflow. */
  opening?: C;
  decide: (state: S, command: C, now: number) => (E | CommandRefused)[];
  evolve: (state: S, event: Recorded<E | CommandRefused>) => S;
  /** After every fold, for what readers of the Web UI see. Must not wait. */
  onFold?: (state: S) => void;
}

export function actor<S extends StreamState, C extends CommandMeta & { do: string }, E extends EventBase>(
  options: ActorOptions<S, C, E>,
): Actor<S, C> {
  type Fact = E | CommandRefused;
  const { stream, decide, evolve, onFold, opening } = options;
  let state = options.initial;
  let seq = options.seq ?? 0;
  let queue: Promise<unknown> = Promise.resolve();
  let waiting = 0;
  let wakeUps = 0;

  function fold(events: Recorded<Fact>[]): void {
    for (const event of events) {
      if (event.seq <= seq) continue; // already known
      // Deciding on what stands behind a gap would be guessing.
      if (event.seq > seq + 1) throw refusedOutside('timeline_behind');
      state = evolve(state, event);
      seq = event.seq;
    }
    onFold?.(state);
  }

  function inTurn<T>(work: () => Promise<T>): Promise<T> {
    waiting += 1;
    const turn = queue.then(work);
    queue = turn.then(
      () => (waiting -= 1),
      () => (waiting -= 1),
    );
    return turn;
  }

  /** What a command writes now; on a stream that is not open yet, together with what opens it. */
  function decideNow(command: C): Fact[] {
    const now = Date.now();
    if (command.expects && !command.expects.includes(seq)) throw new DomainError('precondition_failed');
    if (seq > 0 || !opening || command === opening) return decide(state, command, now);
    const opened = decide(state, opening, now);
    const meta = { commandId: command.id, at: iso(now), by: opening.by };
    const then = ownEvents(opened, 0, meta).reduce(evolve, state);
    return [...opened, ...decide(then, command, now)];
  }

  /**
   * A run that has read nothing yet may have been rebuilt, and its stream may be open already. Before it refuses a command it therefore
   * writes the opening one, which shows what stands on the timeline.
   */
  async function openFirst(command: C): Promise<void> {
    if (seq > 0 || !opening || command === opening) return;
    try {
      decideNow(command);
    } catch {
      await work(opening, () => decideNow(opening));
    }
  }

  async function work(command: C, choose: () => Fact[]): Promise<CommandAnswer> {
    await openFirst(command);
    while (!state.applied.includes(command.id)) {
      const now = Date.now();
      const events = choose();
      if (events.length === 0) return { status: state.status, seq, unchanged: true };
      const at = iso(now);
      const { id, by, onBehalfOf, reason } = command;
      const input = { stream, after: seq, command: { id, by, onBehalfOf, reason }, at, events };
      const summary = events
        .map(({ type }) => type)
        .join(', ')
        .slice(0, 180);
      const result = await append.executeWithOptions({ summary }, [input]);
      if (result.is === 'replayed') break;
      if (result.is === 'refused') throw refusedOutside(result.code, result.detail);
      if (result.is === 'written') fold(ownEvents(events, seq, { commandId: id, at, by }));
      else {
        fold(result.events as Recorded<Fact>[]);
        if (result.events.length === catchUpRows) await readOn();
      }
    }
    return { status: state.status, seq };
  }

  /** Commands from outside: what the rules cannot even read is refused; it must not fail the workflow task. */
  const commit = (made: C | (() => Promise<C>)) =>
    inTurn(() => making(made, (command) => work(command, () => refusing(() => decideNow(command), unreadable, seq))));

  /** Reads page by page until nothing is left: no decision on half a timeline. */
  async function readOn(): Promise<void> {
    for (;;) {
      const input = { stream, after: seq, command: { id: 'learn', by: SYSTEM }, at: new Date().toISOString(), events: [] };
      const result = await append.executeWithOptions({ summary: 'read the timeline' }, [input]);
      const events = result.is === 'behind' ? (result.events as Recorded<Fact>[]) : [];
      fold(events);
      if (events.length < catchUpRows) return;
    }
  }

  const learn = async () => {
    await inTurn(readOn);
    wakeUps += 1;
  };

  return {
    get state() {
      return state;
    },
    get seq() {
      return seq;
    },
    commit,
    refuse(command) {
      if (waiting > 0 || state.applied.includes(command.id) || (opening && seq === 0)) return;
      refusing(() => decideNow(command), unreadable, seq);
    },
    async act(made) {
      let parked = false;
      for (;;) {
        try {
          await inTurn(() => making(made, (command) => work(command, () => refusing(() => decideNow(command)))));
          if (parked) needAttention(false);
          return undefined;
        } catch (error) {
          if (!(error instanceof ApplicationFailure)) throw error;
          if (!isOutside(error)) return error;
          parked = true;
          needAttention();
          const before = wakeUps;
          await condition(() => wakeUps > before);
        }
      }
    },
    async commitFact(command, send = commit) {
      for (;;) {
        try {
          await send(command);
          return;
        } catch (error) {
          // A failing signal handler would fail the run: nothing may leave this function.
          if (!(error instanceof ApplicationFailure)) return needAttention();
          const refused: CommandRefused = { type: 'command.refused', command: command.do, code: error.type as CommandRefused['code'] };
          const known = seq;
          // What could not be written because the run was behind its timeline is decided again on what it has learnt.
          const writing = () => work({ ...command, id: `${command.id}/refused` }, () => (seq === known ? [refused] : []));
          const answer = await inTurn(writing).catch(() => needAttention());
          if (!answer?.unchanged) return;
        }
      }
    },
    learn,
    idle: () => waiting === 0,
  };
}

/** No `await` for a command that is there already: old histories replay in the same order. */
function making<C extends object, T>(made: C | (() => Promise<C>), then: (command: C) => Promise<T>): Promise<T> {
  return typeof made === 'function' ? (made as () => Promise<C>)().then(then) : then(made);
}

/** The stream's own events as they now stand; events that open another stream are folded by that stream's run. */
function ownEvents<E extends EventBase>(
  events: E[],
  after: number,
  meta: { commandId: string; at: string; by: CommandMeta['by'] },
): Recorded<E>[] {
  return events.filter(({ stream }) => !stream).map((event, index) => ({ ...event, ...meta, seq: after + 1 + index }));
}

// The loop of every workflow. It takes commands one at a time. State changes only when events of the timeline are folded.
import { ApplicationFailure, condition, proxyLocalActivities } from '@temporalio/workflow';
import type { AppendActivities } from '../activities/timeline.ts';
import { SYSTEM } from '../domain/actor.ts';
import { DomainError } from '../domain/errors.ts';
import { catchUpRows, type CommandRefused, type EventBase, type Recorded, type StreamState } from '../domain/timeline.ts';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';
import { iso } from '../domain/time.ts';
import { isOutside, refusedOutside, refusing, unreadable } from './refusal.ts';
import { needAttention } from './attention.ts';

// The activity is retried inside the workflow task, so a task can wait a minute for a database that is away. Tries are at most a second
// apart, so that the run goes on soon after the database is back.
const { append } = proxyLocalActivities<AppendActivities>({
  startToCloseTimeout: '10s',
  retry: { initialInterval: '100ms', maximumInterval: '1s' },
});

export interface Actor<S extends StreamState, C> {
  /** The state, folded from the timeline. Never change it. */
  readonly state: S;
  readonly seq: number;
  /**
   * Decides, writes and folds one command when its turn comes. A function makes a command that needs an activity; the function runs in that
   * turn.
   * @throws ApplicationFailure the refusal
   */
  commit(command: C | (() => Promise<C>)): Promise<CommandAnswer>;
  /**
   * Takes a command of the run itself (a timer, a next step). A command that no longer fits changes nothing. A refusal from outside the
   * stream parks the run: it is marked for attention and waits until an operator has repaired the cause and sent `catchUp`.
   * @returns the refusal of a command that no longer fits
   */
  act(command: C | (() => Promise<C>)): Promise<ApplicationFailure | undefined>;
  /**
   * The validator of Updates. A refusal here leaves no event in the history. It decides only while no command is in flight, because such a
   * command is about to change the state.
   */
  refuse(command: C): void;
  /** For commands from Signals. A refusal is written on the timeline and nothing is thrown. `send` defaults to `commit`. */
  commitFact<F extends C>(command: F, send?: (command: F) => Promise<CommandAnswer>): Promise<void>;
  /** Reads the timeline and folds the events that the run lacks. Writes nothing. */
  learn(): Promise<void>;
  /** Whether no command is in flight. */
  idle(): boolean;
}

interface ActorOptions<S extends StreamState, C, E extends EventBase> {
  stream: string;
  initial: S;
  seq?: number;
  /** The command that opens the stream. The first other command is written together with it, in one append. */
  opening?: C;
  decide: (state: S, command: C, now: number) => (E | CommandRefused)[];
  evolve: (state: S, event: Recorded<E | CommandRefused>) => S;
  /** Called after every fold, to update what the Web UI shows. Must not wait. */
  onFold?: (state: S) => void;
}

/** The actor of one stream. A run has exactly one. */
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
      // An event is missing. A decision on later events would be a guess.
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

  /** The events that a command writes now. On a stream that is not open yet, the events that open it come first. */
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
   * A run that has read nothing yet may have been rebuilt, so its stream may already be open. Before such a run refuses a command, it
   * writes the opening command: the append then shows the events on the timeline.
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

  /** For commands from outside. A command that the rules cannot read is refused, because an error would fail the workflow task. */
  const commit = (made: C | (() => Promise<C>)) =>
    inTurn(() => making(made, (command) => work(command, () => refusing(() => decideNow(command), unreadable, seq))));

  /** Reads the timeline page by page to its end. The run must not decide on half a timeline. */
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
          // A failing Signal handler would fail the run, so this function throws nothing.
          if (!(error instanceof ApplicationFailure)) return needAttention();
          const refused: CommandRefused = { type: 'command.refused', command: command.do, code: error.type as CommandRefused['code'] };
          const known = seq;
          // If the append shows that the run was behind its timeline, the refusal is not written: the command is decided again on the new
          // state.
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

/** Makes the command, if it has to be made. A ready command passes without an `await`, so that old histories replay in the same order. */
function making<C extends object, T>(made: C | (() => Promise<C>), then: (command: C) => Promise<T>): Promise<T> {
  return typeof made === 'function' ? (made as () => Promise<C>)().then(then) : then(made);
}

/** The stream's own events with their positions. Events that open another stream are left out: that stream's run folds them. */
function ownEvents<E extends EventBase>(
  events: E[],
  after: number,
  meta: { commandId: string; at: string; by: CommandMeta['by'] },
): Recorded<E>[] {
  return events.filter(({ stream }) => !stream).map((event, index) => ({ ...event, ...meta, seq: after + 1 + index }));
}

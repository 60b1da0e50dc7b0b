// The actor of one stream. It decides commands in the turns of its run. State changes only when events of the timeline are folded.
import { ApplicationFailure } from '@temporalio/workflow';
import { DomainError } from '../domain/errors.ts';
import { recorded, type CommandRefused, type EventBase, type Recorded, type StreamPart, type StreamState } from '../domain/timeline.ts';
import type { CommandAnswer, CommandMeta } from '../domain/command.ts';
import { iso } from '../domain/time.ts';
import { broken, isOutside, needsRepair, refusedOutside, refusing, unreadable } from './refusal.ts';
import type { Streams } from './streams.ts';

export interface Actor<S extends StreamState, C> {
  readonly stream: string;
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
   * rules parks the stream: the run is marked for attention, and the command waits until an operator has repaired the cause and sent
   * `catchUp`.
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
  /** The events that a command would write now; none when it would be refused. */
  would(command: C): StreamPart[];
}

interface ActorOptions<S extends StreamState, C, E extends EventBase> {
  /** The run that hosts the stream. */
  run: Streams;
  stream: string;
  initial: S;
  seq?: number;
  /** The command that opens the stream. The first other command is written together with it, in one append. */
  opening?: C;
  decide: (state: S, command: C, now: number) => (E | CommandRefused)[];
  evolve: (state: S, event: Recorded<E | CommandRefused>) => S;
  /** Called after every fold of this stream. Must not wait. */
  onFold?: (state: S) => void;
  /** What other streams of the run write in the same transaction, given the state after this stream's events. */
  also?: (after: S, command: C) => StreamPart[];
}

/** Adds the actor of a stream to a run. */
export function actor<S extends StreamState, C extends CommandMeta & { do: string }, E extends EventBase>(
  options: ActorOptions<S, C, E>,
): Actor<S, C> {
  type Fact = E | CommandRefused;
  const { run, stream, decide, evolve, onFold, opening, also = () => [] } = options;
  let state = options.initial;
  let seq = options.seq ?? 0;

  function fold(events: Recorded<Fact>[]): void {
    let [next, at] = [state, seq];
    for (const event of events) {
      if (event.seq <= at) continue; // already known
      // An event is missing. A decision on later events would be a guess.
      if (event.seq > at + 1) throw refusedOutside('timeline_behind');
      try {
        next = evolve(next, event);
        // An event of a later release, e.g. after a rollback: there is no rule for it.
        if (!next) throw new Error(`an event of an unknown type: ${event.type}`);
      } catch (error) {
        throw broken(stream, error);
      }
      at = event.seq;
    }
    [state, seq] = [next, at];
    onFold?.(state);
  }

  run.add({
    stream,
    get seq() {
      return seq;
    },
    fold: (events) => fold(events as Recorded<Fact>[]),
  });

  /** The events that a command writes now. On a stream that is not open yet, the events that open it come first. */
  function decideNow(command: C): Fact[] {
    const now = Date.now();
    if (command.expects && !command.expects.includes(seq)) throw new DomainError('precondition_failed');
    if (seq > 0 || !opening || command === opening) return decide(state, command, now);
    const opened = decide(state, opening, now);
    return [...opened, ...decide(after(opened, opening), command, now)];
  }

  const after = (events: Fact[], { id, by }: CommandMeta) =>
    recorded(events, seq, { commandId: id, at: iso(Date.now()), by }).reduce(evolve, state);

  /**
   * A run that has read nothing yet may have been rebuilt, so its stream may already be open. Before such a run refuses a command, it
   * writes the opening command: the append then shows the events on the timeline.
   */
  async function openFirst(command: C, first: C): Promise<void> {
    try {
      decideNow(command);
    } catch {
      await work(first, () => decideNow(first));
    }
  }

  async function work(command: C, choose: () => Fact[]): Promise<CommandAnswer> {
    if (seq === 0 && opening && command !== opening) await openFirst(command, opening);
    let alone = false;
    while (!state.applied.includes(command.id)) {
      const events = choose();
      if (events.length === 0) return { status: state.status, seq, unchanged: true };
      const others = alone ? [] : alsoWritten(events, command);
      const result = await run.write({ parts: [{ stream, after: seq, events }, ...others], command, at: iso(Date.now()) });
      if (result.is === 'replayed') break;
      if (result.is !== 'refused') continue;
      if (others.length === 0) throw refusedOutside(result.code, result.detail);
      // The other stream may be what cannot be written. It must not stop this one, and does its part by itself later.
      alone = true;
    }
    return { status: state.status, seq };
  }

  /** A rule of another stream that is broken must not stop this stream. */
  function alsoWritten(events: Fact[], command: C): StreamPart[] {
    try {
      return also(after(events, command), command);
    } catch (error) {
      broken(stream, error);
      return [];
    }
  }

  const waits = `${stream} waits`;
  const isBroken = (error: unknown) => broken(stream, error);

  async function deciding(made: C | (() => Promise<C>), otherwise: (error: unknown) => unknown, known: boolean): Promise<CommandAnswer> {
    const command = typeof made === 'function' ? await (made as () => Promise<C>)() : made;
    try {
      return await work(command, () => refusing(() => decideNow(command), otherwise, known ? seq : undefined));
    } catch (error) {
      if (error instanceof ApplicationFailure && needsRepair(error)) run.attention.flag(stream);
      throw error;
    }
  }

  /** For commands from outside. A command that the rules cannot read is refused, because an error would fail the workflow task. */
  const commit = (made: C | (() => Promise<C>)) => run.inTurn(() => deciding(made, unreadable, true));

  return {
    stream,
    get state() {
      return state;
    },
    get seq() {
      return seq;
    },
    commit,
    refuse(command) {
      if (!run.idle() || state.applied.includes(command.id) || seq === 0) return;
      refusing(() => decideNow(command), unreadable, seq);
    },
    async act(made) {
      for (;;) {
        try {
          await run.inTurn(() => deciding(made, isBroken, false));
          run.attention.flag(waits, false);
          return undefined;
        } catch (error) {
          if (!(error instanceof ApplicationFailure)) throw error;
          if (!isOutside(error)) return error;
          run.attention.flag(waits);
          await run.repaired();
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
          if (!(error instanceof ApplicationFailure)) return run.attention.flag(stream);
          const refused: CommandRefused = { type: 'command.refused', command: command.do, code: error.type as CommandRefused['code'] };
          const known = seq;
          // If the append shows that the run was behind its timeline, the refusal is not written: the command is decided again on the new
          // state.
          const writing = () => work({ ...command, id: `${command.id}/refused` }, () => (seq === known ? [refused] : []));
          const answer = await run.inTurn(writing).catch(() => run.attention.flag(stream));
          if (!answer?.unchanged) return;
        }
      }
    },
    would(command) {
      try {
        const events = decideNow(command);
        return events.length ? [{ stream, after: seq, events }] : [];
      } catch {
        return [];
      }
    },
  };
}

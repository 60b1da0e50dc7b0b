import { DomainError } from './errors.ts';

export interface Move<S extends string> {
  from: readonly S[];
  to: S;
}

/** A noun's statuses and the moves between them, as data. Everything else (CHECKs, guards, enums, diagrams) is derived from it. */
export interface Machine<N extends string, S extends string, M extends string> {
  noun: N;
  statuses: readonly [S, ...S[]];
  initial: S;
  moves: Readonly<Record<M, Move<S>>>;
  /** Statuses that no move leaves. */
  terminal: readonly S[];
  /** Moves that are possible in `status`. */
  allowed(status: S): M[];
  can(status: S, move: M): boolean;
  /** The status after `move`. @throws invalid_transition naming the allowed moves */
  next(status: S, move: M): S;
}

/**
 * Defines a state machine; the first status is the initial one.
 * @throws Error at load time when a move names an unknown status.
 */
export function defineMachine<const N extends string, const S extends string, const M extends string>(
  noun: N,
  statuses: readonly [S, ...S[]],
  moves: Record<M, { from: readonly NoInfer<S>[]; to: NoInfer<S> }>,
): Machine<N, S, M> {
  const entries = Object.entries(moves) as [M, Move<S>][];
  for (const [name, { from, to }] of entries) {
    for (const status of [...from, to]) if (!statuses.includes(status)) throw new Error(`${noun}.${name}: unknown status ${status}`);
  }
  const allowed = (status: S) => entries.filter(([, move]) => move.from.includes(status)).map(([name]) => name);
  const can = (status: S, move: M) => moves[move].from.includes(status);
  return {
    noun,
    statuses,
    initial: statuses[0],
    moves,
    terminal: statuses.filter((status) => !entries.some(([, move]) => move.from.includes(status))),
    allowed,
    can,
    next(status, move) {
      if (can(status, move)) return moves[move].to;
      throw new DomainError('invalid_transition', `Cannot ${move}: the ${noun} is ${status}.`, { status, allowed: allowed(status) });
    },
  };
}

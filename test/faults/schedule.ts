// Turns a seed into a journey and its faults. All random choices are made here, before the journey begins, so that the same seed
// gives the same schedule.
import { price } from './deal.ts';
import { notices, plays, type Play, type PlayName, type Side, type Variant } from './plays.ts';

export type Fault =
  /** The worker dies before or after a step. */
  | { do: 'crash'; at: string }
  /** A process is killed, and started again, around a command of the journey. */
  | { do: 'kill'; what: 'api' | 'postgres' | 'temporal'; command: number; afterMs: number }
  /** No event can be written for `forMs` milliseconds. */
  | { do: 'stall'; command: number; afterMs: number; forMs: number }
  | { do: 'stripe'; request: Play['requests'][number]; at: 'arriving' | 'executing' | 'answering'; how: 'drop' | 'fail' | 'busy' | 'wait' }
  /** Stripe's reports are delivered two more times, the last report first. */
  | { do: 'report again' }
  /** A command is sent twice at once, with the same Idempotency-Key. */
  | { do: 'send twice'; command: number };

export interface Schedule {
  seed: number;
  play: PlayName;
  variant: Variant;
  faults: Fault[];
}

export function scheduleOf(seed: number): Schedule {
  const draw = draws(seed);
  const names = Object.keys(plays) as PlayName[];
  const name = draw.pick(names);
  const play: Play = plays[name];
  const finalPrice = draw.pick([price, price, 9_000]);
  const variant: Variant = {
    side: draw.pick<Side>(['consumer', 'provider']),
    notice: draw.pick(Object.keys(notices) as Variant['notice'][]),
    finalPrice,
    refund: draw.pick([0, 1, 4_000, finalPrice]),
  };
  const faults = Array.from({ length: draw.upTo(3) }, () => faultOf(play, draw));
  return { seed, play: name, variant, faults };
}

/** The whole schedule in one line. */
export const lineOf = ({ seed, play, variant, faults }: Schedule): string =>
  `seed ${seed}: ${play} ${Object.values(variant).join('/')}; ${faults.map((fault) => Object.values(fault).join(' ')).join('; ')}`;

function faultOf({ steps, commands, requests }: Play, draw: Draws): Fault {
  const command = draw.upTo(commands);
  const afterMs = draw.pick([0, 5, 20, 60]);
  const kinds: Fault['do'][] = ['crash', 'crash', 'crash', 'kill', 'kill', 'kill', 'stall', 'send twice'];
  if (requests.length) kinds.push('stripe', 'stripe', 'stripe', 'report again');
  const kind = draw.pick(kinds);
  switch (kind) {
    case 'crash':
      return { do: kind, at: `${draw.pick(['before', 'after'])}:${draw.pick(steps)}` };
    case 'kill':
      return { do: kind, what: draw.pick(['api', 'postgres', 'temporal']), command, afterMs };
    case 'stall':
      return { do: kind, command, afterMs, forMs: draw.pick([300, 1_500]) };
    case 'stripe': {
      const how = draw.pick(['drop', 'drop', 'fail', 'busy', 'wait'] as const);
      const at = how === 'busy' ? 'arriving' : draw.pick(['arriving', 'executing', 'answering'] as const);
      return { do: kind, request: draw.pick(requests), at, how };
    }
    case 'report again':
      return { do: kind };
    case 'send twice':
      return { do: kind, command };
  }
}

interface Draws {
  pick<T>(from: readonly T[]): T;
  /** A whole number from 1 to `most`. */
  upTo(most: number): number;
}

/** Random numbers by Mulberry32: a small generator that gives the same numbers on every machine. */
function draws(seed: number): Draws {
  let state = seed >>> 0;
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (most: number) => Math.floor(next() * most);
  return { pick: (from) => from[below(from.length)]!, upTo: (most) => below(most) + 1 };
}

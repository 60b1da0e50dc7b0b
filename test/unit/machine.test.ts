import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { DomainError } from '../../src/domain/errors.ts';
import { defineMachine, type Machine } from '../../src/domain/machine.ts';
import { machines } from '../../src/domain/machines.ts';

type AnyMachine = Machine<string, string, string>;
const all = machines as unknown as readonly AnyMachine[];

/**
 * The design's state machines, restated by hand in its own notation and independent of src/domain: `a|b → c|d` is every arrow
 * from a left to a right. `moves` restates the same arrows verb by verb; the two must agree with each other and with the code.
 */
const expected: Record<string, { initial: string; terminal: string; arrows: string[]; moves: Record<string, string> }> = {
  request: {
    initial: 'intake',
    terminal: 'completed unfilled abandoned cancelled',
    arrows: [
      'intake → matching',
      'matching → offering',
      'offering → booked',
      'booked → completed',
      'matching|offering → unfilled',
      'intake → abandoned',
      'intake|matching|offering|booked → cancelled',
      'booked → matching',
      // Rounds and instant mode: a further wave while offers are open, a new search after one, a booking straight from an invitation's acceptance.
      'offering → offering',
      'offering → matching',
      'matching → booked',
    ],
    moves: {
      submit: 'intake → matching',
      invite: 'matching|offering → offering',
      rematch: 'offering → matching',
      book: 'matching|offering → booked',
      reopen: 'booked → matching',
      complete: 'booked → completed',
      giveUp: 'matching|offering → unfilled',
      abandon: 'intake → abandoned',
      cancel: 'intake|matching|offering|booked → cancelled',
    },
  },
  offer: {
    initial: 'invited',
    terminal: 'accepted declined withdrawn expired superseded',
    arrows: [
      'invited → proposed',
      'proposed → countered',
      'countered → proposed',
      'proposed → accepted',
      'countered → accepted',
      'invited → accepted',
      'invited|countered → declined',
      'proposed → declined',
      'proposed → withdrawn',
      'invited|proposed|countered → expired',
      'invited|proposed|countered → superseded',
    ],
    moves: {
      propose: 'invited|countered → proposed',
      counter: 'proposed → countered',
      accept: 'invited|proposed|countered → accepted',
      decline: 'invited|proposed|countered → declined',
      withdraw: 'proposed → withdrawn',
      expire: 'invited|proposed|countered → expired',
      supersede: 'invited|proposed|countered → superseded',
    },
  },
  booking: {
    initial: 'held',
    terminal: 'released cancelled settled',
    arrows: [
      'held → confirmed',
      'confirmed → in_progress',
      'in_progress → completed',
      'held → released',
      'confirmed → cancelled|no_show',
      'completed|no_show → disputed',
      'disputed → settled',
    ],
    moves: {
      confirm: 'held → confirmed',
      release: 'held → released',
      checkIn: 'confirmed → in_progress',
      complete: 'in_progress → completed',
      cancel: 'confirmed → cancelled',
      reportNoShow: 'confirmed → no_show',
      dispute: 'completed|no_show → disputed',
      settle: 'disputed → settled',
    },
  },
  series: {
    initial: 'proposed',
    terminal: 'declined expired ended',
    arrows: ['proposed → active|declined|expired', 'proposed|active → ended'],
    moves: {
      accept: 'proposed → active',
      decline: 'proposed → declined',
      expire: 'proposed → expired',
      end: 'proposed|active → ended',
    },
  },
  occurrence: {
    initial: 'planned',
    terminal: 'booked skipped',
    arrows: ['planned → booked|missed', 'planned|missed → skipped', 'planned|missed → planned'],
    moves: {
      book: 'planned → booked',
      miss: 'planned → missed',
      skip: 'planned|missed → skipped',
      move: 'planned|missed → planned',
    },
  },
  enrollment: {
    initial: 'draft',
    terminal: 'approved rejected withdrawn expired',
    arrows: [
      'draft → submitted',
      'submitted → checking',
      'checking → in_review',
      'in_review → approved|rejected',
      'in_review|checking → changes_requested',
      'changes_requested → submitted',
      'draft|changes_requested → withdrawn|expired',
    ],
    moves: {
      submit: 'draft|changes_requested → submitted',
      check: 'submitted → checking',
      review: 'checking → in_review',
      approve: 'in_review → approved',
      reject: 'in_review → rejected',
      requestChanges: 'in_review|checking → changes_requested',
      withdraw: 'draft|changes_requested → withdrawn',
      expire: 'draft|changes_requested → expired',
    },
  },
  credential: {
    initial: 'pending',
    terminal: 'revoked refused',
    arrows: [
      'pending → verified',
      'verified → expiring',
      'expiring → lapsed',
      'verified|expiring → revoked',
      'pending → refused',
      'lapsed|expiring → verified',
    ],
    moves: {
      verify: 'pending → verified',
      refuse: 'pending → refused',
      nearExpiry: 'verified → expiring',
      lapse: 'expiring → lapsed',
      renew: 'lapsed|expiring → verified',
      revoke: 'verified|expiring → revoked',
    },
  },
  provider: {
    initial: 'active',
    terminal: 'closed',
    arrows: ['active → paused', 'paused → active', 'active|paused → suspended', 'suspended → active', 'active|paused|suspended → closed'],
    moves: {
      pause: 'active → paused',
      resume: 'paused → active',
      suspend: 'active|paused → suspended',
      reinstate: 'suspended → active',
      close: 'active|paused|suspended → closed',
    },
  },
};

function arrowsOf(text: string): string[] {
  const [from = '', to = ''] = text.split(' → ');
  return from.split('|').flatMap((left) => to.split('|').map((right) => `${left} → ${right}`));
}
const distinct = (list: string[]) => [...new Set(list)].sort();
const oracle = (noun: string) => expected[noun] ?? { initial: '', terminal: '', arrows: [], moves: {} };

function refusal(act: () => unknown): DomainError {
  try {
    act();
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
  throw new Error('nothing was refused');
}

describe('the state machines of the design', () => {
  it('are these, and no other', () => {
    expect(all.map(({ noun }) => noun).sort()).toEqual(Object.keys(expected).sort());
  });

  describe.each(all.map((machine) => [machine.noun, machine] as const))('%s', (noun, machine) => {
    const { initial, terminal, arrows, moves } = oracle(noun);
    const pairs = machine.statuses.flatMap((status) => Object.keys(machine.moves).map((move) => ({ status, move })));

    it('has exactly the arrows of the design', () => {
      const code = Object.values(machine.moves).flatMap(({ from, to }) => from.map((status) => `${status} → ${to}`));
      expect(distinct(code)).toEqual(distinct(arrows.flatMap(arrowsOf)));
      expect(distinct(Object.values(moves).flatMap(arrowsOf))).toEqual(distinct(arrows.flatMap(arrowsOf)));
    });

    it('knows exactly the verbs of the design', () => {
      expect(Object.keys(machine.moves).sort()).toEqual(Object.keys(moves).sort());
    });

    it('for every status and verb, moves where the design says or refuses naming what is allowed', () => {
      expect(pairs.length).toBe(machine.statuses.length * Object.keys(moves).length);
      for (const { status, move } of pairs) {
        const target = arrowsOf(moves[move] ?? '')
          .find((arrow) => arrow.startsWith(`${status} → `))
          ?.split(' → ')[1];
        const allowed = Object.keys(moves).filter((name) => arrowsOf(moves[name] ?? '').some((arrow) => arrow.startsWith(`${status} → `)));
        expect({ status, move, can: machine.can(status, move) }).toEqual({ status, move, can: target !== undefined });
        expect([...machine.allowed(status)].sort()).toEqual(allowed.sort());
        if (target) {
          expect(machine.next(status, move)).toBe(target);
          continue;
        }
        const { code, detail, message } = refusal(() => machine.next(status, move));
        expect({ code, status: detail.status }).toEqual({ code: 'invalid_transition', status });
        expect([...(detail.allowed ?? [])].sort()).toEqual(allowed);
        expect(message).toContain(noun);
      }
    });

    it('begins where the design says and ends only where it says', () => {
      expect(machine.initial).toBe(initial);
      expect([...machine.terminal].sort()).toEqual(terminal.split(' ').sort());
    });

    it('can reach every status from the initial one', () => {
      const reached = new Set([machine.initial]);
      for (const status of reached) for (const move of machine.allowed(status)) reached.add(machine.next(status, move));
      expect([...reached].sort()).toEqual([...machine.statuses].sort());
    });

    it('whatever is tried in whatever order, it follows the arrows and never leaves an end', () => {
      const allowed = new Set(arrows.flatMap(arrowsOf));
      fc.assert(
        fc.property(fc.array(fc.constantFrom(...Object.keys(machine.moves)), { maxLength: 40 }), (tried) => {
          let status = machine.initial;
          for (const move of tried) {
            const before = status;
            if (machine.can(before, move)) status = machine.next(before, move);
            else expect(refusal(() => machine.next(before, move)).code).toBe('invalid_transition');
            if (status !== before) expect(allowed.has(`${before} → ${status}`)).toBe(true);
            if (machine.terminal.includes(before)) expect(status).toBe(before);
          }
        }),
      );
    });
  });
});

describe('defining a machine', () => {
  it('given a move to or from an unknown status, it fails when it is loaded', () => {
    const moves = { go: { from: ['here'], to: 'nowhere' } } as unknown as Record<string, { from: ['here']; to: 'here' }>;
    expect(() => defineMachine('thing', ['here'], moves)).toThrow('thing.go: unknown status nowhere');
  });
});

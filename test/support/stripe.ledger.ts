// A ledger of all money that moved, kept beside the server's own objects. Tests trust only this ledger.
export interface LedgerEntry {
  kind: 'authorised' | 'captured' | 'released' | 'refunded';
  booking: string;
  attempt: string;
  ref: string;
  amount: number;
  currency: string;
}

export interface Totals {
  authorised: number;
  captured: number;
  released: number;
  refunded: number;
  /** Reserved, and neither captured nor released. */
  open: number;
  /** Number of authorisations. */
  authorisations: number;
}

/** @param openOf the amount that is still reserved, according to the server's own object */
export function moneyLedger(openOf: (ref: string) => number) {
  const entries: LedgerEntry[] = [];
  const totals = (of: readonly LedgerEntry[]): Totals => {
    const sum = (kind: LedgerEntry['kind']) => of.reduce((total, entry) => (entry.kind === kind ? total + entry.amount : total), 0);
    const [authorised, captured, released] = [sum('authorised'), sum('captured'), sum('released')];
    const authorisations = of.filter(({ kind }) => kind === 'authorised').length;
    return { authorised, captured, released, refunded: sum('refunded'), open: authorised - captured - released, authorisations };
  };
  const byRef = () => Map.groupBy(entries, ({ ref }) => ref);

  return {
    entries: entries as readonly LedgerEntry[],
    write: (entry: LedgerEntry) => void entries.push(entry),
    of: (booking: string): Totals => totals(entries.filter((entry) => entry.booking === booking)),

    /** Violations of the rules that every history must keep; empty when there are none. */
    problems(): string[] {
      const found: string[] = [];
      const wrong = (what: string, of: unknown) => found.push(`${what}: ${JSON.stringify(of)}`);
      for (const entry of entries) if (!Number.isSafeInteger(entry.amount) || entry.amount <= 0) wrong('not minor units', entry);
      for (const [ref, of] of byRef()) {
        const { open, refunded, captured, authorisations } = totals(of);
        if (authorisations !== 1) wrong('not authorised exactly once', { ref, of });
        if (open !== openOf(ref)) wrong('authorised is not captured + released + open', { ref, of, open: openOf(ref) });
        if (refunded > captured) wrong('refunded more than captured', { ref, of });
        if (new Set(of.map(({ currency }) => currency)).size !== 1) wrong('mixed currencies', { ref, of });
      }
      const attempts = Map.groupBy(
        entries.filter(({ kind }) => kind === 'authorised'),
        ({ booking, attempt }) => `${booking}/${attempt}`,
      );
      for (const [attempt, of] of attempts) if (of.length > 1) wrong('one attempt authorised twice', { attempt, of });
      return found;
    },

    /** @throws Error naming every violation */
    check(): void {
      const found = this.problems();
      if (found.length) throw new Error(`The ledger does not balance:\n${found.join('\n')}`);
    },
  };
}

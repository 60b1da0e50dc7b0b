// Runs the longest suites first. Otherwise one of the two workers has nothing to do while the other runs a long suite at the
// end.
// Jest knows durations only from earlier runs on the same machine. Without them it uses the sizes of files, which say little
// here.
interface Test {
  path: string;
}

/** Seconds on two cores; every other suite takes less. */
const seconds: Record<string, number> = {
  'faults/matrix': 165,
  'faults/schedules': 130,
  'faults/churn': 55,
  'faults/kill': 85,
  'e2e/tour': 68,
  'e2e/start': 60,
  'integration/no-double-booking': 55,
  'faults/disaster': 45,
  'faults/away': 40,
  'replay/replay': 28,
  'e2e/race': 35,
  'faults/half-task': 40,
  'workflow/paid-booking': 32,
  'faults/reconcile': 30,
  'workflow/cost': 25,
  'e2e/draft': 24,
  'e2e/chat-ack': 25,
  'workflow/request': 25,
  'integration/postgres': 20,
  'e2e/booking.paid': 18,
};

const lengthOf = ({ path }: Test): number => {
  const [, name = ''] = /test[/\\](.+)\.test\.ts$/.exec(path) ?? [];
  return seconds[name.replaceAll('\\', '/')] ?? (/test[/\\](unit|contract)[/\\]/.test(path) ? 2 : 10);
};

/** The methods that Jest calls on a sequencer. */
export default class LongestFirst {
  sort<T extends Test>(tests: T[]): T[] {
    return tests.toSorted((a, b) => lengthOf(b) - lengthOf(a) || (a.path < b.path ? -1 : 1));
  }

  shard<T extends Test>(tests: T[], { shardIndex, shardCount }: { shardIndex: number; shardCount: number }): T[] {
    return this.sort(tests).filter((_, index) => index % shardCount === shardIndex - 1);
  }

  allFailedTests<T extends Test>(tests: T[]): T[] {
    return tests;
  }

  cacheResults(): void {}
}

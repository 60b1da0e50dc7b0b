// Compares when timers rang with when they were due, for every event that a timer writes.
import type { Stack } from './harness.ts';

/** From the last moment of the release before until this release answered for everything; milliseconds since the epoch. */
export interface Outage {
  from: number;
  to: number;
}

/** A timer that was due during the outage rings at its end. Later than this is wrong. */
const slackMs = 20_000;

/** By the event that a timer writes: a query for `stream`, `at` and `due`, and how often a timer of one kind may ring per stream and due. */
const timers: Record<string, string> = {
  'round.reminded': `select e.stream, e.at, (o.data ->> 'remindAt')::timestamptz as due from event e
    join event o on o.stream = e.stream and o.type = 'round.opened' and o.data ->> 'round' = e.data ->> 'round' where e.type = 'round.reminded'`,
  'round.closed': `select e.stream, e.at, (o.data ->> 'closesAt')::timestamptz as due from event e
    join event o on o.stream = e.stream and o.type = 'round.opened' and o.data ->> 'round' = e.data ->> 'round'
    where e.type = 'round.closed' and (o.data ->> 'invited')::int > 0
      and not exists (select 1 from event p where p.stream = e.stream and p.type = 'offer.proposed')`,
  'booking.released': `select e.stream, e.at, (o.data ->> 'heldUntil')::timestamptz as due from event e
    join event o on o.stream = e.stream and o.type = 'booking.hold_extended' where e.type = 'booking.released'`,
  'booking.completed': `select e.stream, e.at, (o.data ->> 'endsAt')::timestamptz + (o.data -> 'policy' ->> 'autoCompleteMs')::int * interval '1 ms' as due
    from event e join event o on o.stream = e.stream and o.type = 'booking.held' where e.type = 'booking.completed' and (e.data ->> 'automatic')::boolean`,
  'reschedule.expired': `select e.stream, e.at, (o.data ->> 'expiresAt')::timestamptz as due from event e
    join event o on o.stream = e.stream and o.type = 'reschedule.proposed' where e.type = 'reschedule.expired'`,
  'review.reminded': `select e.stream, e.at, o.at + (o.data -> 'policy' ->> 'reviewRemindMs')::int * interval '1 ms' as due
    from event e join event o on o.stream = e.stream and o.type = 'review.opened' where e.type = 'review.reminded'`,
  'review.closed': `select e.stream, e.at, o.at + (o.data -> 'policy' ->> 'reviewPublishMs')::int * interval '1 ms' as due
    from event e join event o on o.stream = e.stream and o.type = 'review.opened' where e.type = 'review.closed'`,
};

interface Rung {
  stream: string;
  at: string;
  due: string;
}

/** One line for each kind of timer, and the timers that rang early, late, twice or never. */
export async function latenessOf(stack: Stack, outage: Outage): Promise<{ lines: string[]; problems: string[] }> {
  const [lines, problems]: [string[], string[]] = [[], []];
  for (const [type, text] of Object.entries(timers)) {
    const rung = await stack.rows<Rung>(text);
    const late = rung.map(({ stream, at, due }) => {
      const dueAt = Date.parse(due);
      const from = dueAt >= outage.from && dueAt <= outage.to ? outage.to : dueAt;
      return { stream, ms: Date.parse(at) - from, early: Date.parse(at) < dueAt, inOutage: from !== dueAt };
    });
    const counts = Object.groupBy(rung, ({ stream, due }) => `${stream} ${due}`);
    problems.push(
      ...late.filter(({ early }) => early).map(({ stream }) => `${type} of ${stream} rang early`),
      ...late.filter(({ ms }) => ms > slackMs).map(({ stream, ms }) => `${type} of ${stream} rang ${ms} ms late`),
      ...Object.entries(counts).flatMap(([one, all]) => (all!.length > 1 ? [`${type} of ${one} rang ${all!.length} times`] : [])),
      ...(rung.length === 0 ? [`no ${type} has rung`] : []),
    );
    const worst = Math.max(0, ...late.filter(({ inOutage }) => !inOutage).map(({ ms }) => ms));
    const overdue = late.filter(({ inOutage }) => inOutage).length;
    lines.push(`${type}: ${rung.length} timers, at most ${worst} ms late${overdue ? `; ${overdue} were due during the outage` : ''}`);
  }
  return { lines, problems };
}

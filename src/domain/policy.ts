const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * Every duration and limit a workflow follows, in its input: a change of policy never changes a running execution,
 * and tests pass milliseconds. All `…Ms` are milliseconds.
 */
export interface Policy {
  version: string;
  /** Silence in intake after which the person is reminded, and after which the request is abandoned. */
  intakeNudgeMs: number;
  intakeCloseMs: number;
  /** How long a round collects offers, by urgency (design §6). */
  roundWindowMs: { urgent: number; soon: number; flexible: number };
  /** How long the consumer has to decide once offers are in. */
  decisionMs: number;
  maxRounds: number;
  /** Live offers after which no further provider is asked. */
  liveOffers: number;
  invitationsMin: number;
  invitationsMax: number;
  /** Search radius of round 1, and its growth per round. */
  radiusKm: number;
  radiusFactor: number;
  /** How long a slot stays held before it must be confirmed. */
  holdMs: number;
  /** Reminders before the slot starts, longest first. */
  reminderBeforeMs: number[];
  /** How early before the slot a check-in is possible. */
  checkInEarlyMs: number;
  /** After the slot's start: when a missing check-in may be called a no-show; after its end: when it completes by itself. */
  noShowGraceMs: number;
  autoCompleteMs: number;
  reviewRemindMs: number;
  /** After completion: when reviews are published even if only one side wrote. */
  reviewPublishMs: number;
  /** An application that nobody touches: reminder and expiry. */
  draftRemindMs: number;
  draftExpireMs: number;
  /** How long the checks of an application may take before an operator is asked. */
  checkSlaMs: number;
  /** Turns after which a conversation continues as a new run. */
  maxTurns: number;
  /** Messages that may wait for an answer at once. */
  maxPendingTurns: number;
}

/** Sources: windows, rounds and radius from design §6; reminders from design §3; the rest is our product decision. */
export const defaultPolicy: Policy = {
  version: '2026-11',
  intakeNudgeMs: day,
  intakeCloseMs: 7 * day,
  roundWindowMs: { urgent: 10 * minute, soon: hour, flexible: 4 * hour },
  decisionMs: day,
  maxRounds: 3,
  liveOffers: 3,
  invitationsMin: 3,
  invitationsMax: 12,
  radiusKm: 10,
  radiusFactor: 1.5,
  holdMs: 15 * minute,
  reminderBeforeMs: [24 * hour, 2 * hour],
  checkInEarlyMs: hour,
  noShowGraceMs: 30 * minute,
  autoCompleteMs: day,
  reviewRemindMs: 3 * day,
  reviewPublishMs: 14 * day,
  draftRemindMs: 3 * day,
  draftExpireMs: 30 * day,
  checkSlaMs: 2 * day,
  maxTurns: 200,
  maxPendingTurns: 8,
};

export type Urgency = keyof Policy['roundWindowMs'];

/** How urgent a wish is: by the time left until the window it must start in closes. */
export function urgencyOf(windowEndsAt: string, now: number): Urgency {
  const leftMs = Date.parse(windowEndsAt) - now;
  if (leftMs <= 6 * hour) return 'urgent';
  return leftMs <= 2 * day ? 'soon' : 'flexible';
}

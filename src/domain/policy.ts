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
  /** How much longer a hold may last, once, when the payment needs the consumer. */
  holdExtensionMs: number;
  /** Who keeps the money: `none` leaves it to the parties; snapshotted, so a running booking never changes sides. */
  payments: 'none' | 'stripe';
  /** How long a step at the payment provider is retried before an operator is needed. */
  paymentRetryMs: number;
  /** How long before an authorisation lapses it is replaced. */
  reauthoriseBeforeMs: number;
  /** Fee of a consumer's cancellation, by the time left: the first tier that is reached counts. Percent of the agreed price. */
  cancellation: { version: string; tiers: { beforeMs: number; feePercent: number }[]; noShowFeePercent: number };
  /** Bounds of the final price, percent of the agreed one; the upper bound is what is authorised. */
  finalPrice: { minPercent: number; maxPercent: number };
  /** Reschedules that either party may propose, and how long the other has to answer. */
  reschedulesPerParty: number;
  rescheduleAnswerMs: number;
  /** How far ahead the occurrences of a series are booked, and how far ahead it may reach at all. */
  seriesHorizonMs: number;
  seriesSpanMs: number;
  /** How long after a no-show the other side may contest it, and after completion either side may open a dispute. */
  contestMs: number;
  disputeMs: number;
  /** Nobody is reminded then, in minutes of the slot's local day: a reminder that falls in is sent before. */
  quietHours: { fromMinute: number; toMinute: number };
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
  holdExtensionMs: 30 * minute,
  payments: 'none',
  paymentRetryMs: 6 * hour,
  reauthoriseBeforeMs: day,
  cancellation: {
    version: '2026-11',
    tiers: [
      { beforeMs: day, feePercent: 0 },
      { beforeMs: 2 * hour, feePercent: 50 },
      { beforeMs: 0, feePercent: 100 },
    ],
    noShowFeePercent: 100,
  },
  finalPrice: { minPercent: 0, maxPercent: 100 },
  reschedulesPerParty: 2,
  rescheduleAnswerMs: day,
  seriesHorizonMs: 28 * day,
  seriesSpanMs: 400 * day,
  contestMs: 2 * day,
  disputeMs: 3 * day,
  quietHours: { fromMinute: 21 * 60, toMinute: 8 * 60 },
  reviewRemindMs: 3 * day,
  reviewPublishMs: 14 * day,
  draftRemindMs: 3 * day,
  draftExpireMs: 30 * day,
  checkSlaMs: 2 * day,
  maxTurns: 200,
  maxPendingTurns: 8,
};

/**
 * Whether a run began under the first release, whose policy had no quiet hours: it keeps that release's steps. A policy is in a run's
 * input or on its timeline, so a replay always sees the same one; `patched()` does not (docs/decisions/0021-policy-instead-of-patched.md).
 */
export const ofFirstRelease = ({ quietHours }: Partial<Pick<Policy, 'quietHours'>>): boolean => quietHours === undefined;

export type Urgency = keyof Policy['roundWindowMs'];

/** How urgent a wish is: by the time left until the window it must start in closes. */
export function urgencyOf(windowEndsAt: string, now: number): Urgency {
  const leftMs = Date.parse(windowEndsAt) - now;
  if (leftMs <= 6 * hour) return 'urgent';
  return leftMs <= 2 * day ? 'soon' : 'flexible';
}

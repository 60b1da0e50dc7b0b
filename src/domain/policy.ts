const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

/**
 * Every duration and limit of a workflow. The policy is part of the workflow's input: a change of policy never changes a running execution,
 * and tests pass short durations. All `…Ms` are milliseconds.
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
  /** Number of live offers after which no further provider is asked. */
  liveOffers: number;
  invitationsMin: number;
  invitationsMax: number;
  /** Search radius of round 1, and its growth per round. */
  radiusKm: number;
  radiusFactor: number;
  /** How long a slot is held before the booking must be confirmed. */
  holdMs: number;
  /** Reminders before the slot starts, longest first. */
  reminderBeforeMs: number[];
  /** How early before the slot a check-in is possible. */
  checkInEarlyMs: number;
  /**
   * `noShowGraceMs`: how long after the slot's start a missing side may be reported. `autoCompleteMs`: how long after the slot's end the
   * booking completes by itself.
   */
  noShowGraceMs: number;
  autoCompleteMs: number;
  /** How much longer a hold lasts when the payment needs the consumer. A hold is extended only once. */
  holdExtensionMs: number;
  /**
   * Who moves the money: `none` leaves payment to the parties. Each booking keeps its own copy, so a change of policy never affects a
   * running booking.
   */
  payments: 'none' | 'stripe';
  /** How long a step at the payment provider is retried before an operator is needed. */
  paymentRetryMs: number;
  /** How long before an authorisation lapses a new one replaces it. */
  reauthoriseBeforeMs: number;
  /**
   * Fees of a consumer's cancellation, in percent of the agreed price. Tiers are tried from the longest notice down: the first whose notice
   * is still kept counts.
   */
  cancellation: { version: string; tiers: { beforeMs: number; feePercent: number }[]; noShowFeePercent: number };
  /** Bounds of the final price, in percent of the agreed price. The amount to authorise covers the upper bound. */
  finalPrice: { minPercent: number; maxPercent: number };
  /** How many reschedules each party may propose, and how long the other party has to answer. */
  reschedulesPerParty: number;
  rescheduleAnswerMs: number;
  /**
   * `seriesHorizonMs`: how long before its start an occurrence of a series is booked. `seriesSpanMs`: how far ahead an occurrence may start
   * at all.
   */
  seriesHorizonMs: number;
  seriesSpanMs: number;
  /**
   * `contestMs`: how long after the report of a no-show the absent side may contest it. `disputeMs`: how long after completion either side
   * may open a dispute.
   */
  contestMs: number;
  disputeMs: number;
  /**
   * No reminder is sent in quiet hours. Minutes count from midnight in the slot's zone. A reminder that would fall into quiet hours is sent
   * at their beginning.
   */
  quietHours: { fromMinute: number; toMinute: number };
  reviewRemindMs: number;
  /** After completion: when silent sides are reminded, and when reviews are published even if only one side wrote. */
  reviewPublishMs: number;
  /** How long an application stays untouched before its applicant is reminded, and before it expires. */
  draftRemindMs: number;
  draftExpireMs: number;
  /** How long the checks of an application may take before an operator has to decide. */
  checkSlaMs: number;
  /** Number of turns after which a conversation continues as a new run. */
  maxTurns: number;
  /** Number of messages that may wait for an answer at the same time. */
  maxPendingTurns: number;
}

/** Sources: windows, rounds and radius from design §6; reminders from design §3; all other values are our product decisions. */
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
 * Whether a policy is from the first release, which had no quiet hours. Runs that began under the first release keep its steps. The policy
 * is in a run's input or on its timeline, so a replay always sees the same policy; `patched()` does not give that
 * (docs/decisions/0021-policy-instead-of-patched.md).
 */
export const ofFirstRelease = ({ quietHours }: Partial<Pick<Policy, 'quietHours'>>): boolean => quietHours === undefined;

export type Urgency = keyof Policy['roundWindowMs'];

/**
 * The urgency of a request, by the time left until its window closes: at most 6 hours, at most 2 days, or more.
 * @param windowEndsAt end of the window in which the job must start, RFC 3339
 * @param now milliseconds since the epoch
 */
export function urgencyOf(windowEndsAt: string, now: number): Urgency {
  const leftMs = Date.parse(windowEndsAt) - now;
  if (leftMs <= 6 * hour) return 'urgent';
  return leftMs <= 2 * day ? 'soon' : 'flexible';
}

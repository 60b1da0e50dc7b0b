// Hard gates with reason codes, then an additive score of 0–100 (design: docs/architecture.md, Matching).
import { listSlots, type Calendar, type Interval } from '../calendar/availability.ts';

export const gateCodes = ['excluded', 'credential', 'area', 'price', 'invitation_cap', 'no_slot'] as const;
export type Gate = (typeof gateCodes)[number];

/** A row of the query for providers near the job. Distances in km, money in minor units. */
export interface CandidateRow {
  providerId: string;
  distanceKm: number;
  radiusKm: number;
  price: number;
  durationMinutes: number;
  ratingSum: number;
  ratingCount: number;
  credentialValid: boolean;
  openInvitations: number;
  excluded: boolean;
}

export interface Job {
  /** The window in which the job may start, milliseconds since the epoch. */
  from: number;
  to: number;
  /** The consumer's ceiling in minor units, if any. */
  ceiling: number | null;
  /** Mean rating of the category, which counts for a provider without reviews. */
  meanRating: number;
}

export interface Scored {
  providerId: string;
  gates: Gate[];
  score: number;
  contributions: Record<string, number>;
  slot: Interval | null;
}

/** Most invitations that one provider may have open. The limit shares work fairly, and a provider can still answer them all. */
export const invitationCap = 20;
/** How many reviews the category's mean counts for (design §6). */
const priorReviews = 10;

/** Gates and score (0 to 100) of one provider for one job. A provider behind a gate scores 0. @param now milliseconds since the epoch */
export function scoreCandidate(row: CandidateRow, calendar: Calendar | undefined, job: Job, now: number): Scored {
  const slot = calendar ? firstSlot(calendar, row, job, now) : null;
  const gates: Gate[] = [];
  if (row.excluded) gates.push('excluded');
  if (!row.credentialValid) gates.push('credential');
  if (row.distanceKm > row.radiusKm) gates.push('area');
  if (job.ceiling !== null && row.price > job.ceiling) gates.push('price');
  if (row.openInvitations >= invitationCap) gates.push('invitation_cap');
  if (!slot) gates.push('no_slot');
  const contributions = contributionsOf(row, slot, job);
  const score = Object.values(contributions).reduce((sum, value) => sum + value, 0);
  return { providerId: row.providerId, gates, score: gates.length ? 0 : round(Math.max(0, Math.min(100, score))), contributions, slot };
}

/** The lines of the score, with weights from design §6. A line whose inputs do not exist yet counts as average. */
function contributionsOf(row: CandidateRow, slot: Interval | null, job: Job): Record<string, number> {
  const rating = (row.ratingSum + job.meanRating * priorReviews) / (row.ratingCount + priorReviews);
  const window = Math.max(1, job.to - job.from);
  return {
    skill: 22,
    availability: slot ? round(16 * (1 - (slot.start - job.from) / window)) : 0,
    travel: round(14 * Math.max(0, 1 - row.distanceKm / row.radiusKm)),
    price: round(job.ceiling ? 12 * Math.max(0, 1 - row.price / job.ceiling) : 6),
    quality: round((12 * (rating - 1)) / 4),
    reliability: 6,
    response: 4,
    history: 2,
    load: round(-15 * Math.min(1, row.openInvitations / invitationCap)),
    newcomer: row.ratingCount === 0 ? 6 : 0,
  };
}

function firstSlot(calendar: Calendar, { durationMinutes }: CandidateRow, { from, to }: Job, now: number): Interval | null {
  return listSlots(calendar, { from, to, durationMinutes, now }).next().value ?? null;
}

const round = (value: number) => Math.round(value * 10) / 10;

/** Assumed chance that an invited provider answers, until it is measured per provider. */
const answerChance = 0.5;

/** The smallest group with a 90 % chance of one offer and three expected ones, within the policy's bounds (design §6). */
export function groupSize({ invitationsMin, invitationsMax }: { invitationsMin: number; invitationsMax: number }): number {
  const forOne = Math.ceil(Math.log(1 - 0.9) / Math.log(1 - answerChance));
  const forThree = Math.ceil(3 / answerChance);
  return Math.min(invitationsMax, Math.max(invitationsMin, forOne, forThree));
}

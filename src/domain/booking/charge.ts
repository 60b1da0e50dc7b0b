// Costs of a booking's end: pure functions of the agreed price, the policy snapshot and instants.
import { shareOf, type Money } from '../money.ts';
import type { Policy } from '../policy.ts';

export interface CancellationQuote {
  /** The fee that the consumer pays for cancelling at that moment, in minor units. */
  fee: number;
  feePercent: number;
  /** When the fee rises, in milliseconds since the epoch; null when it does not rise any more. */
  until: number | null;
}

const percentOf = (price: Money, percent: number): number => shareOf(price, percent, 100).amount;

/**
 * The fee of a consumer's cancellation. Tiers are tried from the longest notice down: the first whose notice is still kept counts.
 * @param startsAt start of the slot, RFC 3339
 * @param now milliseconds since the epoch
 */
export function cancellationQuote(price: Money, startsAt: string, { tiers }: Policy['cancellation'], now: number): CancellationQuote {
  const start = Date.parse(startsAt);
  const sorted = [...tiers].sort((a, b) => b.beforeMs - a.beforeMs);
  const tier = sorted.find(({ beforeMs }) => now <= start - beforeMs) ?? sorted.at(-1);
  if (!tier) return { fee: 0, feePercent: 0, until: null };
  const next = sorted[sorted.indexOf(tier) + 1];
  return { fee: percentOf(price, tier.feePercent), feePercent: tier.feePercent, until: next ? start - tier.beforeMs : null };
}

/** The fee of a no-show in minor units: an absent consumer pays, an absent provider gets nothing. */
export const noShowFee = (price: Money, { noShowFeePercent }: Policy['cancellation'], absent: 'consumer' | 'provider'): number =>
  absent === 'consumer' ? percentOf(price, noShowFeePercent) : 0;

/** Bounds of the final price, in minor units. */
export const finalPriceBounds = (price: Money, { minPercent, maxPercent }: Policy['finalPrice']): { min: number; max: number } => ({
  min: percentOf(price, minPercent),
  max: percentOf(price, maxPercent),
});

/** The amount to authorise, in minor units: the most that the booking can cost in the end. */
export const amountToAuthorise = (price: Money, { finalPrice, cancellation }: Policy): number =>
  Math.max(
    finalPriceBounds(price, finalPrice).max,
    noShowFee(price, cancellation, 'consumer'),
    ...cancellation.tiers.map(({ feePercent }) => percentOf(price, feePercent)),
  );

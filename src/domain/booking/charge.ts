// What an end of a booking costs: pure functions of the agreed price, the policy snapshot and instants.
import { shareOf, type Money } from '../money.ts';
import type { Policy } from '../policy.ts';

export interface CancellationQuote {
  /** What the consumer pays for cancelling at that moment, in minor units. */
  fee: number;
  feePercent: number;
  /** Milliseconds since the epoch at which it gets dearer, or null when it does not. */
  until: number | null;
}

const percentOf = (price: Money, percent: number): number => shareOf(price, percent, 100).amount;

/**
 * The fee of a consumer's cancellation: of the policy's tiers, longest notice first, the first whose notice is still kept.
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

/** What a consumer who did not come pays; a provider who did not come gets nothing. */
export const noShowFee = (price: Money, { noShowFeePercent }: Policy['cancellation'], absent: 'consumer' | 'provider'): number =>
  absent === 'consumer' ? percentOf(price, noShowFeePercent) : 0;

/** Bounds of the final price, in minor units. */
export const finalPriceBounds = (price: Money, { minPercent, maxPercent }: Policy['finalPrice']): { min: number; max: number } => ({
  min: percentOf(price, minPercent),
  max: percentOf(price, maxPercent),
});

/** What is authorised: the most the booking may end up costing. */
export const amountToAuthorise = (price: Money, { finalPrice, cancellation }: Policy): number =>
  Math.max(
    finalPriceBounds(price, finalPrice).max,
    noShowFee(price, cancellation, 'consumer'),
    ...cancellation.tiers.map(({ feePercent }) => percentOf(price, feePercent)),
  );

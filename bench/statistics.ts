export interface Spread {
  /** The time without other work on the machine. */
  p10: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
}

export const spreadOf = (values: readonly number[]): Spread => ({
  p10: quantile(values, 0.1),
  p50: quantile(values, 0.5),
  p90: quantile(values, 0.9),
  p99: quantile(values, 0.99),
  max: Math.max(...values),
});

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)]!;
}

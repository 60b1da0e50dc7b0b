import { isIPv4, isIPv6 } from 'node:net';
import type { Request, Response } from 'express';
import type { Logger } from 'pino';
import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { DomainError } from '../../domain/errors.ts';

export interface RatePolicy {
  name: string;
  points: number;
  windowS: number;
}

/** Counts one request. It rejects with a RateLimiterRes when the quota is used up, and with any other error when it cannot count. */
export interface Limiter {
  consume(key: string): Promise<RateLimiterRes>;
}

/**
 * Makes the store of the counts. One process counts in memory. Several processes share a store, and count in memory while the
 * store is away.
 */
export type LimiterFactory = (policy: RatePolicy) => Limiter;

export const memoryLimiters: LimiterFactory = ({ name, points, windowS }) =>
  new RateLimiterMemory({ keyPrefix: name, points, duration: windowS });

export interface RateLimits {
  /** @throws rate_limited */
  consume(req: Request, res: Response, subject: string | undefined, extra?: RatePolicy): Promise<void>;
}

/**
 * Limits requests per user, or per address for callers we do not know (an IPv6 /64 counts as one address).
 * Users are counted by the token's subject. All tokens of one user share one quota, and a caller over the quota costs no
 * database call.
 */
export function rateLimits({
  limiter,
  perMinute,
  anonymousPerMinute,
  log,
}: {
  limiter: LimiterFactory;
  perMinute: number;
  anonymousPerMinute: number;
  log: Logger;
}): RateLimits {
  const limiters = new Map<string, Limiter>();
  const limiterFor = (policy: RatePolicy) => {
    const known = limiters.get(policy.name) ?? limiter(policy);
    limiters.set(policy.name, known);
    return known;
  };
  const known: RatePolicy = { name: 'permin', points: perMinute, windowS: 60 };
  const anonymous: RatePolicy = { name: 'anonymous', points: anonymousPerMinute, windowS: 60 };

  return {
    async consume(req, res, subject, extra) {
      const key = subject ? `user ${subject}` : `address ${addressKey(req.ip)}`;
      const policies = [subject ? known : anonymous, ...(extra ? [extra] : [])];
      const counts = await Promise.all(policies.map((policy) => count(limiterFor(policy), policy, key, log)));
      announce(res, counts);
      const violated = counts.filter(({ exceeded }) => exceeded);
      if (violated.length === 0) return;
      const detail = {
        retryAfterS: Math.max(...violated.map(({ resetS }) => resetS)),
        policies: violated.map(({ policy }) => policy.name),
      };
      throw new DomainError('rate_limited', undefined, detail);
    },
  };
}

interface Count {
  policy: RatePolicy;
  remaining: number;
  resetS: number;
  exceeded: boolean;
}

async function count(limiter: Limiter, policy: RatePolicy, key: string, log: Logger): Promise<Count> {
  const toCount = ({ remainingPoints, msBeforeNext }: RateLimiterRes, exceeded: boolean): Count => ({
    policy,
    remaining: Math.max(0, remainingPoints),
    resetS: Math.max(1, Math.ceil(msBeforeNext / 1000)),
    exceeded,
  });
  try {
    return toCount(await limiter.consume(key), false);
  } catch (error) {
    if (error instanceof RateLimiterRes) return toCount(error, true);
    // A store that cannot count must not make the API unavailable.
    log.error({ err: error, policy: policy.name }, 'rate limits are not counted');
    return { policy, remaining: policy.points, resetS: policy.windowS, exceeded: false };
  }
}

/** Sends the headers of draft-ietf-httpapi-ratelimit-headers-10, and the older header names for the policy with the least left. */
function announce(res: Response, counts: Count[]): void {
  const tightest = counts.reduce((a, b) => (b.remaining < a.remaining ? b : a));
  res.setHeader('ratelimit-policy', counts.map(({ policy: { name, points, windowS } }) => `"${name}";q=${points};w=${windowS}`).join(', '));
  res.setHeader('ratelimit', counts.map(({ policy, remaining, resetS }) => `"${policy.name}";r=${remaining};t=${resetS}`).join(', '));
  res.setHeader('x-ratelimit-limit', String(tightest.policy.points));
  res.setHeader('x-ratelimit-remaining', String(tightest.remaining));
  res.setHeader('x-ratelimit-reset', String(tightest.resetS));
}

/** An address as the limits count it: IPv4 whole, IPv6 by its /64, which is what an Internet provider gives one customer. */
export function addressKey(ip: string | undefined): string {
  const address = (ip ?? '').split('%', 1)[0]!;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped || isIPv4(address)) return mapped ?? address;
  if (!isIPv6(address)) return 'unknown';
  // `URL` turns every spelling of an address into the same text.
  const normal = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const [head = '', tail] = normal.split('::');
  const left = head.split(':').filter(Boolean);
  const right = tail?.split(':').filter(Boolean) ?? [];
  const full = tail === undefined ? left : [...left, ...Array<string>(8 - left.length - right.length).fill('0'), ...right];
  return `${full.slice(0, 4).join(':')}::/64`;
}

import { Redis } from 'ioredis';
import { RateLimiterMemory, RateLimiterRedis } from 'rate-limiter-flexible';
import type { Logger } from 'pino';
import type { LimiterFactory } from './rate-limit.ts';

/**
 * Counts that all API processes share. While Redis is away, every process counts for itself: limits get looser, never stricter,
 * and no request waits for Redis.
 */
export function redisLimiters(url: string, log: Logger): { limiters: LimiterFactory; close: () => void } {
  const redis = new Redis(url, { enableOfflineQueue: false, maxRetriesPerRequest: 0, connectTimeout: 2_000, keyPrefix: 'proxie:rate:' });
  let away = false;
  redis.on('error', (error: Error) => {
    if (!away) log.warn({ err: error }, 'Redis is away: rate limits are counted per process');
    away = true;
  });
  redis.on('ready', () => {
    if (away) log.info('Redis is back: rate limits are shared again');
    away = false;
  });
  return {
    limiters({ name, points, windowS }) {
      const own = { keyPrefix: name, points, duration: windowS };
      return new RateLimiterRedis({ ...own, storeClient: redis, insuranceLimiter: new RateLimiterMemory(own) });
    },
    close: () => redis.disconnect(),
  };
}

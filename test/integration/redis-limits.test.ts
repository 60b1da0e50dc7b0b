import { afterAll, describe, expect, it } from '@jest/globals';
import { pino } from 'pino';
import { redisLimiters } from '../../src/api/http/redis-limiters.ts';
import { anyPort } from '../support/ports.ts';

const closers: (() => void)[] = [];
afterAll(() => closers.forEach((close) => close()));

describe('shared rate limits', () => {
  it('given a Redis that cannot be reached, every process counts for itself and nobody waits', async () => {
    const { limiters, close } = redisLimiters(`redis://127.0.0.1:${await anyPort()}`, pino({ level: 'silent' }));
    closers.push(close);
    const limiter = limiters({ name: 'permin', points: 2, windowS: 60 });
    const began = Date.now();
    await limiter.consume('somebody');
    await limiter.consume('somebody');
    await expect(limiter.consume('somebody')).rejects.toMatchObject({ remainingPoints: 0 });
    expect(Date.now() - began).toBeLessThan(30_000);
  });
});

import { describe, expect, it } from '@jest/globals';
import { SYSTEM, type Actor } from '../../src/domain/actor.ts';
import { decideReview } from '../../src/domain/review/decide.ts';
import { fold } from '../support/fold.ts';
import { emptyReview, evolveReview } from '../../src/domain/review/evolve.ts';

const consumer: Actor = { id: '00000000-0000-4000-8000-00000000000c', role: 'consumer' };
const provider: Actor = { id: '00000000-0000-4000-8000-0000000000a1', role: 'provider' };
const noon = Date.parse('2026-06-01T12:00:00.000Z');
const policy = { version: 'test', reviewRemindMs: 1_000, reviewPublishMs: 5_000 };

const refused = (code: string) => expect.objectContaining({ code });
const typesOf = (events: { type: string }[]) => events.map(({ type }) => type.replace('review.', ''));

function reviews() {
  const run = fold({ initial: emptyReview, decide: decideReview, evolve: evolveReview });
  run.record(
    { type: 'review.opened', bookingId: 'b1', consumerId: consumer.id, providerId: provider.id, policy },
    'complete',
    provider,
    noon,
  );
  const write = (by: Actor, rating = 5, now = noon) => run.send({ do: 'submitReview', by, reviewId: `by-${by.role}`, rating }, now);
  return { run, write };
}

describe('writing a review', () => {
  it('given a booking that was never completed, it is refused', () => {
    const run = fold({ initial: emptyReview, decide: decideReview, evolve: evolveReview });
    expect(() => run.send({ do: 'submitReview', by: consumer, reviewId: 'r', rating: 5 }, noon)).toThrow(refused('timeline_behind'));
  });

  it('is for the two sides only', () => {
    expect(() => reviews().write({ id: '00000000-0000-4000-8000-0000000000ff', role: 'consumer' })).toThrow(refused('not_owner'));
  });

  it.each([0, 6, 4.5])('a rating of %p is refused', (rating) => {
    expect(() => reviews().write(consumer, rating)).toThrow(refused('validation_failed'));
  });

  it('each side writes once', () => {
    const { run, write } = reviews();
    write(consumer);
    expect(() => write(consumer)).toThrow(refused('already_reviewed'));
    write(provider);
    expect(() => write(consumer)).toThrow(refused('already_reviewed'));
    expect(run.state.status).toBe('closed');
  });

  it('given only one is in, the other side learns that it exists and nothing more', () => {
    const [event] = reviews().write(consumer, 1);
    expect(event).toMatchObject({ audience: [consumer.id], notify: [{ to: provider.id, kind: 'review_waiting' }] });
  });

  it('the second publishes both', () => {
    const { write } = reviews();
    write(consumer);
    const events = write(provider);
    expect(typesOf(events)).toEqual(['submitted', 'published', 'closed']);
    expect(events[1]).toMatchObject({ reviewIds: ['by-consumer', 'by-provider'] });
    expect(JSON.stringify(events[1])).not.toContain('rating');
  });

  it('given the time is over, it is refused', () => {
    const { run, write } = reviews();
    run.send({ do: 'close', by: SYSTEM }, noon + 5_000);
    expect(() => write(consumer)).toThrow(refused('invalid_transition'));
  });
});

describe('the clock', () => {
  it('reminds once, and only those who are silent', () => {
    const { run, write } = reviews();
    write(consumer);
    expect(run.send({ do: 'remind', by: SYSTEM }, noon + 1_000)[0]).toMatchObject({
      notify: [{ to: provider.id, kind: 'review_reminder' }],
    });
    expect(run.send({ do: 'remind', by: SYSTEM }, noon + 1_000)).toEqual([]);
  });

  it('publishes what there is', () => {
    const { run, write } = reviews();
    write(consumer);
    expect(typesOf(run.send({ do: 'close', by: SYSTEM }, noon + 5_000))).toEqual(['published', 'closed']);
  });

  it('given nothing was written, it ends without publishing', () => {
    expect(typesOf(reviews().run.send({ do: 'close', by: SYSTEM }, noon + 5_000))).toEqual(['closed']);
  });

  it('does not run ahead', () => {
    const { run } = reviews();
    expect(run.send({ do: 'remind', by: SYSTEM }, noon + 999)).toEqual([]);
    expect(run.send({ do: 'close', by: SYSTEM }, noon + 4_999)).toEqual([]);
  });
});

describe('not wanting to be asked', () => {
  const refuse = (userId: string) => ({ do: 'optOut' as const, by: SYSTEM, userId });

  it('given the other side has written, its review is published at once', () => {
    const { run, write } = reviews();
    write(provider);
    expect(typesOf(run.send(refuse(consumer.id), noon))).toEqual(['opted_out', 'published', 'closed']);
  });

  it('given both do not want to, it ends', () => {
    const { run } = reviews();
    run.send(refuse(consumer.id), noon);
    expect(typesOf(run.send(refuse(provider.id), noon))).toEqual(['opted_out', 'closed']);
  });

  it('is no loss of the right to write while it is open', () => {
    const { run, write } = reviews();
    run.send(refuse(consumer.id), noon);
    expect(run.send(refuse(consumer.id), noon)).toEqual([]);
    expect(typesOf(write(consumer))).toEqual(['submitted']);
  });

  it('of a stranger is refused', () => {
    expect(() => reviews().run.send(refuse('somebody'), noon)).toThrow(refused('not_owner'));
  });
});

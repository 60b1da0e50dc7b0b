import { describe, expect, it } from '@jest/globals';
import { interceptors } from '../../src/workflows/interceptors.ts';

/** Hands over activations one after the other, each as [events so far, seconds, is replaying]. @returns what each became */
function handOver(...activations: [historyLength: number, seconds: number, isReplaying?: boolean][]): string[] {
  const [{ activate }] = interceptors().internals as [{ activate(input: object, next: () => void): void }];
  return activations.map(([historyLength, seconds, isReplaying = false]) => {
    let became = 'refused';
    try {
      activate({ activation: { historyLength, isReplaying, timestamp: { seconds, nanos: 7 } } }, () => void (became = 'run'));
    } catch (error) {
      expect(error).toMatchObject({ message: 'a task is waiting: ask again' });
    }
    return became;
  });
}

describe('a run decides', () => {
  it('on a task that a worker has begun, and on every part of it', () => {
    // The third is the result of a local activity: no event yet, the same task.
    expect(handOver([3, 10], [12, 20], [12, 20])).toEqual(['run', 'run', 'run']);
  });

  it('never on events whose task nobody has begun', () => {
    expect(handOver([3, 10], [13, 10], [14, 30])).toEqual(['run', 'refused', 'run']);
  });

  it('on what its history holds, whatever the clocks of its servers said then', () => {
    expect(handOver([3, 10, true], [13, 10, true])).toEqual(['run', 'run']);
  });
});

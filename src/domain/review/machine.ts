import { defineMachine } from '../machine.ts';

/** What somebody wrote about a booking: published together with the other side's, hidden by operators. */
export const reviewMachine = defineMachine('review', ['submitted', 'published', 'hidden'], {
  publish: { from: ['submitted'], to: 'published' },
  hide: { from: ['submitted', 'published'], to: 'hidden' },
  restore: { from: ['hidden'], to: 'published' },
});

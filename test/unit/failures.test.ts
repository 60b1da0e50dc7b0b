import { describe, expect, it } from '@jest/globals';
import { WorkflowUpdateFailedError } from '@temporalio/client';
import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  DefaultFailureConverter,
  RetryState,
  defaultPayloadConverter,
} from '@temporalio/common';
import fc from 'fast-check';
import { fromFailure, toFailure } from '../../src/contracts/failures.ts';
import { DomainError, errorCodes, errorMessages, isErrorCode, type RefusalDetail } from '../../src/domain/errors.ts';

const converter = new DefaultFailureConverter();
/** What the other process receives: encoded as Temporal stores it, and decoded again. */
const overTheWire = (error: Error): Error =>
  converter.failureToError(converter.errorToFailure(error, defaultPayloadConverter), defaultPayloadConverter);

const code = fc.constantFrom(...errorCodes);
const detail: fc.Arbitrary<RefusalDetail> = fc.record(
  {
    allowed: fc.array(fc.string({ maxLength: 12 }), { maxLength: 4 }),
    status: fc.string({ maxLength: 12 }),
    fields: fc.array(fc.record({ field: fc.string({ maxLength: 12 }), message: fc.string({ maxLength: 12 }) }), { maxLength: 3 }),
    retryAfterS: fc.nat({ max: 3600 }),
  },
  { requiredKeys: [], noNullPrototype: true },
);
const refusal = fc.tuple(code, fc.string({ minLength: 1, maxLength: 80 }), detail).map(([...parts]) => new DomainError(...parts));

const wraps: [string, (cause: Error) => Error][] = [
  ['as it is', (cause) => cause],
  [
    'inside an activity failure',
    (cause) => new ActivityFailure('failed', 'append', '1', RetryState.NON_RETRYABLE_FAILURE, 'worker', cause),
  ],
  [
    'inside a child workflow failure',
    (cause) =>
      new ChildWorkflowFailure(
        'default',
        { workflowId: 'booking/1', runId: '1' },
        'bookingWorkflow',
        RetryState.NON_RETRYABLE_FAILURE,
        cause,
      ),
  ],
];

describe('a refusal on its way through Temporal', () => {
  it.each(wraps)('arrives with the same code, message and detail, %s', (_name, wrap) => {
    fc.assert(
      fc.property(refusal, (sent) => {
        const received = fromFailure(overTheWire(wrap(toFailure(sent))));
        expect(received).toBeInstanceOf(DomainError);
        expect({ code: received?.code, message: received?.message, detail: received?.detail }).toEqual({
          code: sent.code,
          message: sent.message,
          detail: sent.detail,
        });
      }),
    );
  });

  it('arrives through the error that the client throws for a refused Update', () => {
    const thrown = new WorkflowUpdateFailedError(
      'Workflow Update failed',
      overTheWire(toFailure(new DomainError('slot_taken'))) as ApplicationFailure,
    );
    expect(fromFailure(thrown)).toMatchObject({ code: 'slot_taken', message: errorMessages.slot_taken });
  });

  it('is never retried', () => {
    fc.assert(fc.property(refusal, (sent) => expect(toFailure(sent).nonRetryable).toBe(true)));
  });
});

describe('what is not ours', () => {
  it('given a failure of an unknown type, nothing is made of it', () => {
    fc.assert(
      fc.property(
        fc.string().filter((type) => !isErrorCode(type)),
        (type) => expect(fromFailure(overTheWire(ApplicationFailure.create({ type, message: 'boom' })))).toBeUndefined(),
      ),
    );
  });

  it.each([[new Error('boom')], [new TypeError('boom')], ['boom'], [undefined], [null], [{ code: 'not_found' }]])(
    'given %p, nothing is made of it',
    (thrown) => {
      expect(fromFailure(thrown)).toBeUndefined();
    },
  );

  it.each(['constructor', '__proto__', 'toString', 'hasOwnProperty'])(
    'given a failure of type %s, it is not mistaken for a code',
    (type) => {
      expect(fromFailure(ApplicationFailure.create({ type, message: 'boom' }))).toBeUndefined();
    },
  );
});

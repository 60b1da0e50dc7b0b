import { describe, expect, it } from '@jest/globals';
import { mailText, mailTexts } from '../../src/integrations/mail.templates.ts';
import type { Verbs } from '../../src/domain/verb.ts';
import type { NotificationKind } from '../../src/domain/notification.ts';
import { verbTables } from '../../src/domain/machines.ts';

/** The kinds that the verbs declare; what the runs tell by themselves stands in types only, which the compiler compares with the texts. */
const declared = verbTables.flatMap(({ verbs }) => Object.values(verbs as Verbs).flatMap(({ notifies = [] }) => notifies));

describe('texts of mails', () => {
  it('every kind that a verb notifies of has a text', () => {
    expect(declared.length).toBeGreaterThan(20);
    expect(declared.filter((kind) => !Object.hasOwn(mailTexts, kind))).toEqual([]);
  });

  it('a kind without a text does not compile', () => {
    const { offer_withdrawn: _missing, ...others } = mailTexts;
    // @ts-expect-error the text of offer_withdrawn is missing
    const texts: Record<NotificationKind, readonly [string, string]> = others;
    expect(texts).toBe(others);
  });

  it.each([
    ['booking/b1', {}, 'https://proxie.test/bookings/b1'],
    ['review/b1', {}, 'https://proxie.test/bookings/b1'],
    ['request/r1', { offerId: 'o1' }, 'https://proxie.test/offers/o1'],
    ['request/r1', { offerId: 'o1', bookingId: 'b1' }, 'https://proxie.test/bookings/b1'],
    ['request/r1', {}, 'https://proxie.test/requests/r1'],
    ['enrollment/e1', {}, 'https://proxie.test/enrollments/e1'],
    ['series/s1', {}, 'https://proxie.test/series/s1'],
  ])('a mail about %s %j leads to %s', (stream, ids, link) => {
    expect(mailText({ kind: 'offers_ready', stream, ids }, 'https://proxie.test').text).toContain(`\n${link}\n`);
  });

  it('given a kind without a text of its own, something true is said', () => {
    expect(mailText({ kind: 'brand_new', stream: 'request/r1', ids: {} }, '').subject).toBe('Proxie: News for you');
  });
});

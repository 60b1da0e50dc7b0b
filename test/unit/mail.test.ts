import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { mailText, mailTexts } from '../../src/integrations/mail.templates.ts';

const domain = resolve(import.meta.dirname, '../../src/domain');

/** Every kind that any rule notifies of, read from the source. */
function kindsInUse(): string[] {
  const found = new Set<string>();
  for (const name of readdirSync(domain, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.ts'))) {
    const text = readFileSync(join(domain, name), 'utf8');
    for (const [, kind] of text.matchAll(/(?:to(?::[^{}]*?)?, kind: |(?:told|tell(?:ing|Both))\((?:state, )?)'(\w+)'/g)) found.add(kind!);
  }
  return [...found].sort();
}

describe('texts of mails', () => {
  it('the rules notify of something', () => expect(kindsInUse().length).toBeGreaterThan(20));

  it.each(kindsInUse())('there is a text for %s', (kind) => expect(mailTexts[kind]).toBeDefined());

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

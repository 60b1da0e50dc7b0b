// Does what a reader of the documents does: starts a stack and pastes the shell blocks into a bash, in order.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { repository } from '../support/seeded.ts';
import { npm, shellEnv } from '../support/start.ts';
import { stepsOf, walk } from '../support/walk.ts';

let home: string;
beforeAll(async () => {
  home = mkdtempSync(join(tmpdir(), 'proxie-tour-'));
  const { code, output } = await npm(home, 'start', '--detach');
  expect({ code, output }).toMatchObject({ code: 0 });
}, 180_000);
afterAll(async () => {
  await npm(home, 'stop');
  rmSync(home, { recursive: true, force: true });
}, 180_000);

/** Pastes the blocks of a document, from a line of it on. */
async function paste(document: string, { from, before = '' }: { from?: string; before?: string } = {}): Promise<string[]> {
  const text = readFileSync(join(repository, document), 'utf8');
  const start = from === undefined ? 0 : text.split('\n').indexOf(from) + 1;
  const steps = stepsOf(text).filter(({ line }) => line > start);
  expect([start > 0, steps.length > 6]).toEqual([from !== undefined, true]);
  return walk(document, [{ line: 0, code: before.split('\n'), printed: [] }, ...steps], shellEnv(home));
}

/** The state that an operator finds: a disputed booking ($BOOKING), and a request that providers are invited to ($REQUEST). */
const found = String.raw`
. scripts/shell.sh
CONSUMER=$(token bob consumer)
PROVIDER=$(token demo-provider-2 provider)
ask() { # MODE
  call $CONSUMER POST /requests '{"service":"plumbing.leak","mode":"'$1'","submit":true,"details":{"room":"kitchen"},
    "location":{"place":"Park Slope","lat":40.672,"lon":-73.9778,"zone":"America/New_York"},
    "when":{"from":"'$(in_days 8)'","to":"'$(in_days 9)'","zone":"America/New_York"}}' | field id
}
in_days() { node -p "new Date(Date.now() + $1 * 864e5).toISOString()"; }
lead() { get $PROVIDER '/leads?status=invited' "items.find(({ offer }) => offer.requestId === '$REQUEST')?.offer.id"; }
REQUEST=$(ask instant)
call $PROVIDER POST /offers/$(wait_for '?*-*' lead)/accept
wait_for booked get $CONSUMER /requests/$REQUEST status
BOOKING=$(get $CONSUMER /requests/$REQUEST bookingId)
wait_for confirmed get $CONSUMER /bookings/$BOOKING status
call $PROVIDER POST /bookings/$BOOKING/check-in "{\"code\":\"$(get $CONSUMER /bookings/$BOOKING checkInCode)\"}"
call $PROVIDER POST /bookings/$BOOKING/complete
wait_for completed get $CONSUMER /requests/$REQUEST status
call $CONSUMER POST /bookings/$BOOKING/dispute '{"reason":"only half of it was done"}'
REQUEST=$(ask compare)`;

describe('the documents', () => {
  it('README.md: five minutes by hand do what the page says', async () => {
    expect(await paste('README.md', { from: '## Five minutes by hand' })).toEqual([]);
  });

  it('docs/tour.md: every block of the tour does what the page says', async () => {
    expect(await paste('docs/tour.md')).toEqual([]);
  });

  it('docs/runbook.md: every block of the runbook does what the page says', async () => {
    expect(await paste('docs/runbook.md', { before: found })).toEqual([]);
  });
});

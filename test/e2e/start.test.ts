import { existsSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { isRunning, type ProcessRef } from '../../src/dev/process.ts';
import { processOf, readStackFile, roles, type StackFile } from '../../src/dev/stack-file.ts';
import { caller, eventually, type Caller, type Json } from '../support/http.ts';
import { accepted } from '../support/play.ts';
import { leakRequest } from '../support/seed.ts';
import { npm as npmIn } from '../support/start.ts';

let folder: string;
const home = (name: string) => join(folder, name);
const stack = (name: string): StackFile => readStackFile(join(home(name), 'stack.json'))!;
const processesOf = (file: StackFile): ProcessRef[] => [file.supervisor, ...roles.map((role) => processOf(file, role)!)];

const npm = (name: string, ...args: string[]) => npmIn(home(name), ...args);

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'proxie-start-'));
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
});
afterAll(async () => {
  for (const name of ['a', 'b']) await npm(name, 'stop');
  rmSync(folder, { recursive: true, force: true });
}, 300_000);

describe('npm start', () => {
  it('two stacks started at the same moment run side by side', async () => {
    const [a, b] = await Promise.all([npm('a', 'start', '--detach'), npm('b', 'start', '--detach')]);
    expect([a.code, b.code, a.output, b.output].slice(0, 2)).toEqual([0, 0]);
    const ports = [stack('a'), stack('b')].flatMap((file) => Object.values(file.ports));
    expect(new Set(ports).size).toBe(ports.length);
    expect(statSync(join(home('a'), 'stack.json')).mode & 0o777).toBe(0o600);
    for (const name of ['a', 'b']) expect((await fetch(`${stack(name).urls.api}/health/ready`)).status).toBe(200);
  }, 180_000);

  describe('npm run token', () => {
    /** A client that knows only the output of the command. */
    async function user(...args: string[]): Promise<Caller> {
      const { code, stdout } = await npm('a', 'token', ...args);
      expect([code, stdout]).toEqual([0, expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+\n$/)]);
      return caller(stack('a').urls.api!, stdout.trim());
    }
    const me = async (who: Caller) => accepted(await who.get('/me'));

    it('its subject, roles, name and e-mail show in /me, and as contact to the provider of a booking', async () => {
      const alice = await user('--subject', 'alice', '--name', 'Alice Doe', '--email', 'alice@example.test');
      const profile = await me(alice);
      expect(profile).toMatchObject({ displayName: 'Alice Doe', email: 'alice@example.test', roles: ['consumer'] });
      const provider = await user('--subject', 'demo-provider-1');
      expect(await me(provider)).toMatchObject({ displayName: 'Brooklyn Home Care', roles: ['provider'] });

      const requestId = accepted(await alice.post('/requests', leakRequest({ submit: true }))).id;
      const lead: Json = await eventually(
        async () => accepted(await provider.get('/leads?status=invited')).items.find(({ offer }: Json) => offer.requestId === requestId),
        Boolean,
        { what: 'the invitation' },
      );
      accepted(await provider.post(`/offers/${lead.offer.id}/propose`));
      const { bookingId } = accepted(await alice.post(`/offers/${lead.offer.id}/accept`));
      const booking = await eventually(
        async () => accepted(await provider.get(`/bookings/${bookingId}`)),
        ({ status }) => status === 'confirmed',
        { what: 'the confirmation' },
      );
      expect(booking.contact.consumer).toEqual({ displayName: 'Alice Doe', email: 'alice@example.test' });
    });

    it('a later token of the same user brings roles and another e-mail; the name is the user’s own by then', async () => {
      const { id } = await me(await user('--subject', 'alice'));
      const later = await user('--subject', 'alice', '--roles', 'consumer,admin', '--name', 'Somebody', '--email', 'moved@example.test');
      const expected = { id, displayName: 'Alice Doe', email: 'moved@example.test' };
      expect(await me(later)).toMatchObject({ ...expected, roles: ['consumer', 'admin'] });
      expect(await me(await user('--subject', 'alice'))).toMatchObject({ ...expected, roles: ['consumer'] });
      const somebody = await me(await user());
      expect(somebody).toMatchObject({ displayName: null, email: null, roles: ['consumer'] });
      expect(somebody.id).not.toBe(id);
    });

    it('given no stack, or a role that does not exist, it says what to do', async () => {
      const { code, output, stdout } = await npm('none', 'token');
      expect([code, stdout]).toEqual([1, '']);
      expect(output).toContain(`No stack runs in ${home('none')}. Start it first: PROXIE_HOME=${home('none')} npm start`);
      expect(await npm('a', 'token', '--roles', 'boss')).toMatchObject({ code: 1, stdout: '' });
    });
  });

  it('--demo plays one whole request on a stack that runs already', async () => {
    const { code, output } = await npm('a', 'start', '--demo');
    expect(output).toContain('✓ the request was completed');
    expect(output).toMatch(/request\.opened[\s\S]*offer\.proposed[\s\S]*offer\.accepted[\s\S]*booking\.completed[\s\S]*request\.completed/);
    expect(code).toBe(0);
  }, 300_000);

  it('a supervisor that was killed leaves nothing that blocks the next start', async () => {
    const before = stack('b');
    process.kill(before.supervisor.pid, 'SIGKILL');
    const { code, output } = await npm('b', 'start', '--detach');
    expect({ code, output }).toMatchObject({ code: 0 });
    expect(output).toContain('of an earlier start still ran');
    expect(processesOf(before).filter(isRunning)).toEqual([]);
    expect((await fetch(`${stack('b').urls.api}/health/ready`)).status).toBe(200);
  }, 300_000);

  it('npm stop drains everything it started', async () => {
    for (const name of ['a', 'b']) {
      const file = stack(name);
      expect((await npm(name, 'stop')).code).toBe(0);
      expect(processesOf(file).filter(isRunning)).toEqual([]);
      expect(existsSync(join(home(name), 'stack.json'))).toBe(false);
    }
  }, 300_000);
});

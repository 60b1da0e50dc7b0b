// A provider's bookings for their own calendar app.
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import { CalendarFeedView, CalendarText, NewCalendarFeed } from '../../contracts/calendar-feed.ts';
import { closeFeed, feedBookings, feedOwner, feedSince, openFeed } from '../../db/queries/calendar-feed.ts';
import { DomainError } from '../../domain/errors.ts';
import { calendarText } from './calendar-text.ts';
import type { Api } from '../http/deps.ts';
import { changeProviderRows } from './provider-change.ts';
import { reply, route } from '../http/route.ts';

const common = { auth: ['provider'] } as const;
const hashOf = (token: string) => createHash('sha256').update(token).digest('base64url');

export function calendarFeedRoutes(api: Api): void {
  const db = () => api.orm.em.fork();

  route(
    api,
    {
      ...common,
      method: 'post',
      path: '/providers/me/calendar-feed',
      summary: 'Make a new address for your calendar app; an older one stops working',
      description:
        'Whoever knows the address can read services, times and states of your bookings, and nothing about the people. Only this answer shows the address.',
      // A stored answer would keep a readable token. When the request is sent twice, the second address is valid.
      idempotent: false,
      response: NewCalendarFeed,
      status: 201,
      errors: ['not_found'],
    },
    async (call) => {
      const token = randomBytes(32).toString('base64url');
      await changeProviderRows(api, call, async (tx) => {
        await openFeed(tx, call.actor.id, hashOf(token));
        return [{ type: 'provider.calendar_feed_opened' }];
      });
      const createdAt = await feedSince(db(), call.actor.id);
      return { url: `${api.config.http.publicUrl}/api/v1/calendars/${token}.ics`, createdAt: createdAt! };
    },
  );

  route(
    api,
    {
      ...common,
      method: 'get',
      path: '/providers/me/calendar-feed',
      summary: 'Whether you have a feed',
      response: CalendarFeedView,
      errors: ['not_found'],
    },
    async ({ actor }) => {
      const createdAt = await feedSince(db(), actor.id);
      if (!createdAt) throw new DomainError('not_found', 'You have no feed.');
      return { createdAt };
    },
  );

  route(
    api,
    { ...common, method: 'delete', path: '/providers/me/calendar-feed', summary: 'Revoke the address of your feed', errors: ['not_found'] },
    async (call) => {
      await changeProviderRows(api, call, async (tx) =>
        (await closeFeed(tx, call.actor.id)) ? [{ type: 'provider.calendar_feed_closed' }] : [],
      );
      return undefined;
    },
  );

  route(
    api,
    {
      ...common,
      method: 'get',
      path: '/providers/me/calendar.ics',
      summary: 'Your bookings as iCalendar, with addresses once they are confirmed',
      response: CalendarText,
      text: 'text/calendar',
      errors: [],
    },
    ({ actor }) => calendarOf(actor.id, true),
  );

  route(
    api,
    {
      method: 'get',
      path: '/calendars/:token.ics',
      summary: 'Bookings as iCalendar for a calendar app',
      description: 'Read it as often as you like with `If-None-Match`: an unchanged calendar answers 304.',
      auth: 'public',
      params: z.strictObject({ token: z.string() }),
      response: CalendarText,
      text: 'text/calendar',
      rate: { name: 'calendar', points: 60, windowS: 60 },
      errors: ['not_found'],
    },
    async ({ params }) => {
      const providerId = await feedOwner(db(), hashOf(params.token));
      if (!providerId) throw new DomainError('not_found', 'There is no such calendar, or its address was replaced.');
      return calendarOf(providerId, false);
    },
  );

  /**
   * The bookings as text. The public feed shows no address, because its text passes through other people's servers and stays in
   * their caches.
   */
  async function calendarOf(providerId: string, withAddress: boolean) {
    const text = calendarText(await feedBookings(db(), providerId), { publicUrl: api.config.http.publicUrl, withAddress });
    // An expiring hold changes the text but no row, so the ETag is made from the text.
    return reply(200, text, { etag: `"${hashOf(text)}"`, 'cache-control': 'private, no-cache' });
  }
}

import { z } from 'zod';
import { Instant } from './common.ts';

export const CalendarFeedView = z
  .strictObject({ createdAt: Instant.meta({ description: 'When its address was made' }) })
  .meta({ id: 'CalendarFeed' });

export const NewCalendarFeed = z
  .strictObject({
    url: z.url().meta({ description: 'Subscribe to it in your calendar app. Shown this once: whoever knows it can read the feed.' }),
    createdAt: Instant,
  })
  .meta({ id: 'NewCalendarFeed' });

/** An iCalendar object, RFC 5545. */
export const CalendarText = z.string().meta({ id: 'CalendarText', description: 'iCalendar, RFC 5545' });

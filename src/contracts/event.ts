import { z } from 'zod';
import { TimelineEntry } from './common.ts';

/** One event of the realtime channel: a timeline entry with its stream and its position in the log. */
export const EventView = z.strictObject({ ...TimelineEntry.shape, stream: z.string(), position: z.string() }).meta({ id: 'Event' });
export type EventView = z.infer<typeof EventView>;

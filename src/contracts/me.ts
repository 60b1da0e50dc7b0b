import { z } from 'zod';
import { Instant, Links, Zone } from './common.ts';

/** The notifications that a user wants, and how. */
export const Preferences = z
  .strictObject({ mail: z.boolean().meta({ description: 'false: nothing by mail' }) })
  .meta({ id: 'Preferences' });

export const Me = z
  .strictObject({
    id: z.uuid(),
    displayName: z.string().nullable(),
    email: z.string().nullable().meta({ description: 'As your identity provider says; change it there, the next token brings it' }),
    zone: z.string(),
    roles: z.array(z.string()).meta({ description: 'What you may act as: the roles of your token, else those stored here' }),
    preferences: Preferences,
    createdAt: Instant,
    seq: z.int(),
    links: Links,
  })
  .meta({ id: 'Me' });
export type Me = z.infer<typeof Me>;

export const EditMe = z
  .strictObject({ displayName: z.string().trim().min(1).max(80).nullable(), zone: Zone, preferences: Preferences.partial() })
  .partial()
  .meta({ id: 'EditMe', example: { displayName: 'Alice Doe', zone: 'America/New_York', preferences: { mail: false } } });

export const NotificationView = z
  .strictObject({
    id: z.uuid(),
    kind: z.string(),
    about: z.string().meta({ description: 'Noun and id of what it is about, e.g. `request/<id>`' }),
    ids: z.record(z.string(), z.string()),
    readAt: Instant.nullable(),
    createdAt: Instant,
  })
  .meta({ id: 'Notification' });
export type NotificationView = z.infer<typeof NotificationView>;

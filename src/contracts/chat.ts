import { z } from 'zod';
import { requestMachine } from '../domain/request/machine.ts';
import { Instant, Links } from './common.ts';

export const PostChat = z
  .strictObject({
    message: z.string().trim().min(1).max(4000),
    requestId: z.uuid().toLowerCase().optional().meta({ description: 'Absent: a new request begins' }),
  })
  .meta({ id: 'PostChat', example: { message: 'My kitchen sink in Park Slope is leaking, can somebody come tomorrow?' } });

export const ClaimChat = z
  .strictObject({ guestToken: z.string().min(1).max(4000).meta({ description: 'The `accessToken` of `POST /auth/guest`' }) })
  .meta({ id: 'ClaimChat', example: { guestToken: 'eyJhbGciOiJIUzI1NiIsInR5cCI6Imd1ZXN0K2p3dCJ9.e30.c2lnbmF0dXJl' } });

/** The acknowledgement of a message. The answer is a turn, which clients poll or follow as events. */
export const ChatAccepted = z
  .strictObject({ requestId: z.uuid(), messageId: z.uuid(), turnId: z.uuid(), links: Links })
  .meta({ id: 'ChatAccepted' });

export const TurnView = z
  .strictObject({
    id: z.uuid(),
    status: z.enum(['pending', 'streaming', 'done', 'superseded', 'failed']),
    intent: z.string().nullable(),
    reply: z.string().nullable(),
    createdAt: Instant,
    finishedAt: Instant.nullable(),
  })
  .meta({ id: 'Turn' });
export type TurnView = z.infer<typeof TurnView>;

export const ChatEntry = z.strictObject({
  id: z.uuid(),
  from: z.enum(['person', 'assistant']),
  text: z.string().nullable(),
  status: z.string(),
  turnId: z.uuid().nullable(),
  at: Instant,
});
export const ChatView = z
  .strictObject({
    requestId: z.uuid(),
    status: z.enum(requestMachine.statuses),
    draftHash: z.string().nullable(),
    missing: z.array(z.string()),
    entries: z.array(ChatEntry),
    links: Links,
  })
  .meta({ id: 'Chat' });
export type ChatView = z.infer<typeof ChatView>;

import { z } from 'zod';
import type { Api } from '../http/deps.ts';
import { reply, route } from '../http/route.ts';

const GuestSession = z
  .object({ userId: z.uuid(), accessToken: z.string(), tokenType: z.literal('Bearer'), expiresAt: z.iso.datetime() })
  .meta({
    id: 'GuestSession',
    description: 'A session for somebody without an account. It may chat; claim the conversation after signing in.',
  });

export function guestRoutes(api: Api): void {
  route(
    api,
    {
      method: 'post',
      path: '/auth/guest',
      summary: 'Open a guest session',
      description: 'Returns a token for the chat routes, valid for a day. Nothing is stored before the guest says something.',
      auth: 'public',
      response: GuestSession,
      status: 201,
      errors: ['not_found'],
      idempotent: false,
      rate: { name: 'guest', points: 20, windowS: 60 },
    },
    async () => {
      const { userId, token, expiresAt } = await api.guests.open();
      return reply(201, { userId, accessToken: token, tokenType: 'Bearer' as const, expiresAt: expiresAt.toISOString() });
    },
  );
}

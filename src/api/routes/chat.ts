import { z } from 'zod';
import { ChatAccepted, ChatView, ClaimChat, PostChat, TurnView } from '../../contracts/chat.ts';
import { idFrom } from '../../contracts/ids.ts';
import { requestUpdates, requestWorkflowId } from '../../contracts/request.messages.ts';
import { chatFor, storeMessage, turnFor } from '../../db/queries/chat.ts';
import { DomainError, invalid } from '../../domain/errors.ts';
import type { Api } from '../http/deps.ts';
import { startRequest } from './request-start.ts';
import { route } from '../http/route.ts';
import { actorOf } from '../../domain/actor.ts';
import { guestIssuer } from '../http/guests.ts';

const readers = ['consumer', 'guest', 'admin'] as const;
const chatId = z.strictObject({ requestId: z.uuid() });

export function chatRoutes(api: Api): void {
  route(
    api,
    {
      method: 'post',
      path: '/chat',
      summary: 'Say something',
      description:
        'The message is acknowledged at once. The answer of the assistant is a turn: poll it, or follow it on `GET /events`. Without `requestId` a new request begins.',
      auth: ['consumer', 'guest'],
      body: PostChat,
      response: ChatAccepted,
      status: 202,
      errors: ['not_found', 'not_owner', 'invalid_transition', 'conversation_busy', 'temporarily_unavailable'],
    },
    async ({ body, actor, commandId, signal }) => {
      const requestId = body.requestId ?? idFrom(commandId, 'request');
      const [messageId, turnId] = [idFrom(commandId, 'message'), idFrom(commandId, 'turn')];
      const em = api.orm.em.fork();
      // Checks the owner of the conversation before the message is stored.
      if (body.requestId) await chatFor(em, actor, requestId);
      await storeMessage(em, { id: messageId, requestId, author: actor, text: body.message });
      await api.commands.send({
        workflowId: requestWorkflowId(requestId),
        update: requestUpdates.postMessage,
        command: { id: commandId, by: actorOf(actor), messageId, turnId },
        ...(body.requestId ? {} : { start: await startRequest(api, { requestId, consumerId: actor.id, mode: 'compare' }) }),
        signal,
      });
      const self = `/api/v1/chat/${requestId}`;
      return {
        requestId,
        messageId,
        turnId,
        links: { self, turn: `${self}/turns/${turnId}`, request: `/api/v1/requests/${requestId}`, events: '/api/v1/events' },
      };
    },
  );

  route(
    api,
    {
      method: 'post',
      path: '/chat/:requestId/claim',
      summary: 'Make a guest conversation your own',
      description: 'After signing in. The guest token proves that the conversation was yours. From then on the request can be sent out.',
      auth: ['consumer'],
      params: chatId,
      body: ClaimChat,
      response: ChatView,
      errors: ['not_found', 'not_owner', 'invalid_transition', 'temporarily_unavailable'],
    },
    async ({ params: { requestId }, body, actor, commandId, signal }) => {
      const guest = await api.tokens(body.guestToken);
      if (guest.issuer !== guestIssuer) {
        throw invalid('/guestToken', 'must be the token of a guest session');
      }
      const guestId = guest.subject;
      await api.commands.send({
        workflowId: requestWorkflowId(requestId),
        update: requestUpdates.claimRequest,
        command: { id: commandId, by: actorOf(actor), guestId },
        closed: async () => (
          await chatFor(api.orm.em.fork(), { id: guestId, role: 'guest' }, requestId),
          new DomainError('invalid_transition')
        ),
        signal,
      });
      return chatFor(api.orm.em.fork(), actor, requestId);
    },
  );

  route(
    api,
    {
      method: 'get',
      path: '/chat/:requestId',
      summary: 'A conversation',
      auth: readers,
      params: chatId,
      response: ChatView,
      errors: ['not_found', 'not_owner'],
    },
    ({ params, actor }) => chatFor(api.orm.em.fork(), actor, params.requestId),
  );

  route(
    api,
    {
      method: 'get',
      path: '/chat/:requestId/turns/:turnId',
      summary: 'One answer of the assistant',
      auth: readers,
      params: z.strictObject({ requestId: z.uuid(), turnId: z.uuid() }),
      response: TurnView,
      errors: ['not_found', 'not_owner'],
    },
    ({ params, actor }) => turnFor(api.orm.em.fork(), actor, params.requestId, params.turnId),
  );
}

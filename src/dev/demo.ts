import type { BookingView } from '../contracts/booking.ts';
import type { ChatAccepted, ChatView } from '../contracts/chat.ts';
import type { TimelineEntry } from '../contracts/common.ts';
import type { LeadView, OfferView } from '../contracts/offer.ts';
import type { RequestView } from '../contracts/request.ts';
import type { z } from 'zod';
import { demoClient, until, type DemoClient } from './demo.client.ts';
import { StackError, type Say } from './progress.ts';
import type { StackFile } from './stack-file.ts';

/** Dana's first message, and her answers when a fact is still missing. */
const opening = 'Hi! I need a deep cleaning of my two-bedroom flat in Williamsburg tomorrow between 9am and 5pm';
const answers: Readonly<Record<string, string>> = {
  service: 'Deep cleaning',
  location: 'Williamsburg',
  when: 'tomorrow between 9am and 5pm',
  bedrooms: '2',
  bathrooms: '1',
  budget: '$400',
};
const mostTurns = 10;

interface Cast {
  consumer: DemoClient;
  providers: DemoClient[];
}

/**
 * Plays one whole request through the public API: chat, offers of two providers, acceptance, booking, completion. Prints each
 * step, and the timeline at the end.
 * @returns whether the request was completed
 */
export async function playDemo({ urls, tokens }: StackFile, say: Say): Promise<boolean> {
  if (!urls.api || !tokens.consumer || !tokens.providers)
    throw new StackError('This stack has no demo tokens: it uses an identity provider of yours.');
  const { api } = urls;
  const cast: Cast = { consumer: demoClient(api, tokens.consumer), providers: tokens.providers.map((token) => demoClient(api, token)) };
  say('Demo: one request from the first message to the end');
  try {
    const requestId = await chat(cast, say);
    const bookingId = await agree(cast, requestId, say);
    const status = await carryOut(cast, requestId, bookingId, say);
    await printTimeline(cast, requestId, bookingId, say);
    if (urls.temporalUi)
      say(
        `  In Temporal: ${urls.temporalUi}/namespaces/${urls.temporalNamespace}/workflows?query=${encodeURIComponent(`WorkflowId="request/${requestId}"`)}`,
      );
    say(status === 'completed' ? '✓ the request was completed' : `✗ the request ended as ${status}`);
    return status === 'completed';
  } catch (error) {
    say(`✗ the demo broke off: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

/** The conversation, up to the explicit yes to the draft. */
async function chat({ consumer }: Cast, say: Say): Promise<string> {
  let requestId: string | undefined;
  let message = opening;
  for (let turn = 1; turn <= mostTurns; turn++) {
    say(`  Dana:      ${message}`);
    const accepted: z.infer<typeof ChatAccepted> = await consumer.post('/chat', { message, ...(requestId ? { requestId } : {}) });
    requestId = accepted.requestId;
    const view = await until('the assistant to answer', async () => {
      // The reply can be read a moment before the request moves to its next status. The timeline shows when it has moved.
      const { items } = await consumer.get<{ items: TimelineEntry[] }>(`/requests/${accepted.requestId}/timeline?limit=100`);
      if (!items.some(({ type, data }) => type === 'turn.completed' && data.turnId === accepted.turnId)) return undefined;
      const now = await consumer.get<ChatView>(`/chat/${accepted.requestId}`);
      const answer = now.entries.find(({ id }) => id === accepted.turnId);
      return answer && ['done', 'failed', 'superseded'].includes(answer.status) ? { ...now, answer } : undefined;
    });
    say(`  Assistant: ${view.answer.text?.replaceAll('\n', '\n             ') ?? `(${view.answer.status})`}`);
    if (view.status !== 'intake') return requestId;
    const [missing] = view.missing;
    message = missing === undefined ? 'Yes, send it' : (answers[missing] ?? 'I do not mind');
  }
  throw new StackError(`The conversation was not over after ${mostTurns} turns.`);
}

/** Two providers propose; the consumer accepts the cheaper offer. */
async function agree({ consumer, providers }: Cast, requestId: string, say: Say): Promise<string> {
  const lead = (provider: DemoClient) =>
    until('the invitation to arrive', async () => {
      const { items } = await provider.get<{ items: LeadView[] }>('/leads?status=invited&limit=50');
      return items.find(({ offer }) => offer.requestId === requestId);
    });
  for (const [index, provider] of providers.slice(0, 2).entries()) {
    const { offer } = await lead(provider);
    const amount = Math.round((offer.price.amount * (index === 0 ? 1 : 0.95)) / 100) * 100;
    // The first provider takes the suggested terms, the second one names a price.
    const proposed = await provider.post<OfferView>(
      `/offers/${offer.id}/propose`,
      index === 0 ? {} : { price: { ...offer.price, amount } },
    );
    say(`  ${proposed.provider.displayName} offers ${formatted(proposed)}`);
  }
  const offers = await until('two offers to stand', async () => {
    const { items } = await consumer.get<{ items: OfferView[] }>(`/requests/${requestId}/offers`);
    const open = items.filter(({ status }) => status === 'proposed');
    return open.length >= 2 ? open : undefined;
  });
  const cheapest = offers.toSorted((a, b) => a.price.amount - b.price.amount)[0]!;
  say(`  Dana accepts the offer of ${cheapest.provider.displayName}`);
  await consumer.post(`/offers/${cheapest.id}/accept`, {});
  return until('the booking to be made', async () => (await consumer.get<RequestView>(`/requests/${requestId}`)).bookingId ?? undefined);
}

/** The job itself. @returns the request's final status */
async function carryOut({ consumer, providers }: Cast, requestId: string, bookingId: string, say: Say): Promise<string> {
  const booking = await until('the booking to be confirmed', async () => {
    const now = await consumer.get<BookingView>(`/bookings/${bookingId}`);
    return now.status === 'held' ? undefined : now;
  });
  say(`  the booking is ${booking.status}: ${booking.slot.startsAt}, ${booking.provider.displayName}`);
  const provider = await ownerOf(providers, booking);
  await provider.post(`/bookings/${bookingId}/check-in`, { code: booking.checkInCode });
  say('  Dana shows the code at the door, and the job begins (development allows the check-in ahead of time)');
  await provider.post(`/bookings/${bookingId}/complete`, {});
  say('  the job is done');
  return until('the request to close', async () => {
    const { status } = await consumer.get<RequestView>(`/requests/${requestId}`);
    return status === 'booked' ? undefined : status;
  });
}

async function ownerOf(providers: DemoClient[], { id }: BookingView): Promise<DemoClient> {
  for (const provider of providers) {
    const { items } = await provider.get<{ items: BookingView[] }>('/bookings?limit=50');
    if (items.some((booking) => booking.id === id)) return provider;
  }
  throw new StackError('The booking belongs to none of the demo providers.');
}

async function printTimeline({ consumer }: Cast, requestId: string, bookingId: string, say: Say): Promise<void> {
  const entries = await Promise.all(
    [`/requests/${requestId}`, `/bookings/${bookingId}`].map((path) => consumer.get<{ items: TimelineEntry[] }>(`${path}/timeline`)),
  );
  // The end of the booking and that of its request are one transaction, so they have one instant.
  const isEnd = ({ type }: TimelineEntry) => Number(type === 'request.completed');
  const inOrder = entries.flatMap(({ items }) => items).toSorted((a, b) => a.at.localeCompare(b.at) || isEnd(a) - isEnd(b));
  say('  Timeline:');
  for (const { at, by, type } of inOrder) {
    say(`    ${at}  ${by.padEnd(8)}  ${type}`);
  }
}

const formatted = ({ price, slot }: OfferView): string => `${(price.amount / 100).toFixed(2)} ${price.currency} for ${slot.startsAt}`;

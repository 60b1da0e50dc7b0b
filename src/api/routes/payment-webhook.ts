import type { Express } from 'express';
import { bookingWorkflowId, paymentEvent } from '../../contracts/booking.messages.ts';
import { DomainError } from '../../domain/errors.ts';
import { contextOf } from '../http/context.ts';
import type { Api } from '../http/deps.ts';
import { readBytes } from '../http/json-body.ts';

const path = '/webhooks/stripe';
/** Events have a few kilobytes; a charge with all its expanded fields stays far below this limit. */
const maxEventBytes = 256 * 1024;

/**
 * The address for Stripe's reports. It is outside /api/v1 and its document, because only Stripe calls it. The signature over
 * the raw body is the only credential.
 * A delivery is answered with 200 when the run that answers for the booking has it, or when no run waits for it. Otherwise Stripe repeats the
 * delivery for days.
 */
export function paymentWebhook(app: Express, api: Api): void {
  const { paymentNotice, commands, limits } = api;
  if (!paymentNotice) return;
  app.post(path, async (req, res) => {
    const context = contextOf(req);
    context.route = `POST ${path}`;
    if (Number(req.headers['content-length']) > maxEventBytes) throw new DomainError('payload_too_large');
    const body = await readBytes(req, maxEventBytes);
    const signature = req.headers['stripe-signature'];
    let notice;
    try {
      notice = paymentNotice(body, typeof signature === 'string' ? signature : undefined);
    } catch (error) {
      // Only deliveries without a valid signature are counted, because Stripe sends bursts from few addresses.
      await limits.consume(req, res, undefined);
      throw error;
    }
    const heard =
      notice && (await commands.tell(bookingWorkflowId(notice.bookingId), paymentEvent, { ...notice.fact, bookingId: notice.bookingId }));
    if (!heard) context.log.info({ code: notice ? 'payment_event_unheard' : 'payment_event_foreign' }, 'a payment event changes nothing');
    res.setHeader('cache-control', 'no-store');
    res.status(200).json({ received: true });
  });
}

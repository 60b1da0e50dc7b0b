import type { Express } from 'express';
import { bookingWorkflowId, paymentEvent } from '../../contracts/booking.messages.ts';
import { DomainError } from '../../domain/errors.ts';
import { contextOf } from '../http/context.ts';
import type { Api } from '../http/deps.ts';
import { readBytes } from '../http/json-body.ts';

const path = '/webhooks/stripe';
/** Events are a few kilobytes; a charge with everything in it stays far below this. */
const maxEventBytes = 256 * 1024;

/**
 * Where Stripe reports. Outside /api/v1 and its document: nobody else calls it, and the signature over the raw body is the
 * only credential. A delivery is answered 200 once its booking's run has it, or when nobody waits for it; otherwise Stripe
 * delivers again for days.
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
      // Only who cannot sign is counted: Stripe sends in bursts from few addresses.
      await limits.consume(req, res, undefined);
      throw error;
    }
    const heard = notice && (await commands.tell(bookingWorkflowId(notice.bookingId), paymentEvent, notice.fact));
    if (!heard) context.log.info({ code: notice ? 'payment_event_unheard' : 'payment_event_foreign' }, 'a payment event changes nothing');
    res.setHeader('cache-control', 'no-store');
    res.status(200).json({ received: true });
  });
}

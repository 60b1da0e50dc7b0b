import { PaymentMethodView, StorePaymentMethod } from '../../contracts/payment.ts';
import { change } from '../../db/change.ts';
import { forgetMethod, paymentMethodOf, storeMethod } from '../../db/queries/payment-method.ts';
import type { UserEvent } from '../../domain/provider/types.ts';
import type { Db } from '../../db/orm.ts';
import type { ApiActor } from '../http/auth.ts';
import type { Api } from '../http/deps.ts';
import { requireMatch } from '../http/etag.ts';
import { route } from '../http/route.ts';
import { actorOf } from '../../domain/actor.ts';

const path = '/me/payment-method';
const etag = ({ seq }: PaymentMethodView) => seq;

export function paymentMethodRoutes(api: Api): void {
  const read = (actor: ApiActor) => paymentMethodOf(api.orm.em.fork(), actor.id);

  route(
    api,
    {
      method: 'get',
      path,
      summary: 'Whether you have stored a payment method',
      auth: ['consumer'],
      response: PaymentMethodView,
      etag,
      errors: [],
    },
    ({ actor }) => read(actor),
  );

  route(
    api,
    {
      method: 'put',
      path,
      summary: 'Store the payment method your bookings are paid with',
      description:
        'Replaces the earlier payment method. The new one is first used at the next booking. Bookings that are already paid keep theirs.',
      auth: ['consumer'],
      body: StorePaymentMethod,
      response: PaymentMethodView,
      etag,
      ifMatch: 'optional',
      errors: [],
    },
    async ({ body, actor, commandId, ifMatch }) => {
      await alter(actor, commandId, ifMatch, async (tx) => {
        await storeMethod(tx, actor.id, body.method);
        return 'user.payment_method_stored';
      });
      return read(actor);
    },
  );

  route(
    api,
    {
      method: 'delete',
      path,
      summary: 'Forget the payment method',
      description: 'Existing authorisations of bookings stay.',
      auth: ['consumer'],
      ifMatch: 'optional',
      errors: [],
    },
    async ({ actor, commandId, ifMatch }) => {
      await alter(actor, commandId, ifMatch, async (tx) => ((await forgetMethod(tx, actor.id)) ? 'user.payment_method_removed' : null));
      return undefined;
    },
  );

  /** Changes the row of the payment method. The event says that the method changed; the token stays in the row. */
  function alter(
    actor: ApiActor,
    commandId: string,
    ifMatch: string | undefined,
    work: (tx: Db) => Promise<Exclude<UserEvent['type'], 'user.changed'> | null>,
  ): Promise<void> {
    return change<UserEvent>(api.orm, {
      stream: `user/${actor.id}`,
      command: { id: commandId, by: actorOf(actor) },
      async work(tx, seq) {
        requireMatch(ifMatch, seq);
        const type = await work(tx);
        return type ? [{ type, audience: [actor.id] }] : [];
      },
    });
  }
}

import { defineEntity, p } from '@mikro-orm/core';
import { insertedAt, instant, interval, minorUnits } from './columns.ts';
import { Provider } from './provider.ts';
import { Request } from './request.ts';
import { offerMachine } from '../../domain/request/offer.ts';

/** The terms between one provider and one request. The row holds the current version. */
export const Offer = defineEntity({
  name: 'Offer',
  tableName: 'offer',
  uniques: [{ name: 'offer_round_unique', properties: ['requestId', 'providerId', 'round'] }],
  indexes: [
    { name: 'offer_provider_index', properties: ['providerId', 'createdAt', 'id'] },
    { name: 'offer_request_index', properties: ['requestId', 'createdAt', 'id'] },
  ],
  checks: [{ name: 'offer_price_check', expression: 'price >= 0' }],
  properties: {
    id: p.uuid().primary(),
    requestId: () => p.manyToOne(Request).mapToPk().fieldName('request_id'),
    providerId: () => p.manyToOne(Provider).mapToPk().fieldName('provider_id'),
    round: p.smallint(),
    status: p.enum([...offerMachine.statuses]).default(offerMachine.initial),
    statusReason: p.text().nullable(),
    version: p.smallint(),
    price: minorUnits(),
    currency: p.text(),
    during: interval(),
    zone: p.text(),
    score: p.float(),
    expiresAt: instant().nullable(),
    /** When the provider first answered. Before that the consumer does not see the offer. */
    proposedAt: instant().nullable(),
    createdAt: insertedAt(),
    changedAt: insertedAt(),
  },
});

/** Every version of an offer's terms. Rows never change. */
export const OfferVersion = defineEntity({
  name: 'OfferVersion',
  tableName: 'offer_version',
  primaryKeys: ['offerId', 'version'],
  properties: {
    offerId: () => p.manyToOne(Offer).mapToPk().primary().fieldName('offer_id').deleteRule('cascade'),
    version: p.smallint().primary(),
    by: p.text().fieldName('by_role'),
    price: minorUnits(),
    currency: p.text(),
    during: interval(),
    createdAt: insertedAt(),
  },
});

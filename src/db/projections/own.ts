import { providerMachine } from '../../domain/provider.machine.ts';
import type { ProviderEvent, ReviewPostEvent, UserEvent } from '../../domain/provider.types.ts';
import { Provider } from '../entities/provider.ts';
import { move, type Projectors } from './move.ts';

// The bodies of these changes are written beside their events, in the same transaction (db/own-stream.ts).
const nothing = async () => {};

export const providerProjectors = {
  'provider.changed': nothing,
  'provider.paused': (tx, { id }) => move(tx, Provider, providerMachine, id, 'pause'),
  'provider.resumed': (tx, { id }) => move(tx, Provider, providerMachine, id, 'resume'),
  'provider.service_changed': nothing,
  'provider.availability_changed': nothing,
} satisfies Projectors<ProviderEvent & { id: string }>;

export const userProjectors = { 'user.changed': nothing } satisfies Projectors<UserEvent>;

export const reviewPostProjectors = { 'review.replied': nothing, 'review.reported': nothing } satisfies Projectors<ReviewPostEvent>;

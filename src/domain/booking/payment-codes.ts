/**
 * Reasons for a declined authorisation, as far as the payer may know. A card that was reported stolen gets the same code as any declined
 * card.
 */
export const declineCodes = [
  'card_declined',
  'insufficient_funds',
  'expired_card',
  'authentication_required',
  'payment_method_missing',
  'payment_method_unusable',
] as const;
export type DeclineCode = (typeof declineCodes)[number];

/** Reasons why no retry helps a payment step: the types of the activities' final failures. */
export const paymentFailures = [
  /** This deployment has no payment provider, or the provider does not let it in. */
  'payments_not_configured',
  /** The authorisation lapsed before it was captured: nothing is reserved any more. */
  'payment_lapsed',
  /** The authorisation had been released before. */
  'payment_released',
  /** The money had been captured before: nothing is left to release, or another amount was taken. */
  'payment_captured',
  /** The refund is larger than the rest of the captured amount. */
  'payment_overrefunded',
  /** The refund was begun, and the bank sent it back. */
  'refund_failed',
  /** The provider refuses the request itself: a bug, or an amount it does not take. */
  'payment_refused',
] as const;
export type PaymentFailure = (typeof paymentFailures)[number];

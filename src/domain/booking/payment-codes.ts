/** Why an authorisation was declined, as far as the payer may know: a card reported stolen is told like any other. */
export const declineCodes = [
  'card_declined',
  'insufficient_funds',
  'expired_card',
  'authentication_required',
  'payment_method_missing',
  'payment_method_unusable',
] as const;
export type DeclineCode = (typeof declineCodes)[number];

/** Why a payment step fails however often it is tried: the types of the activities' final failures. */
export const paymentFailures = [
  /** This deployment has no payment provider, or the provider does not let it in. */
  'payments_not_configured',
  /** The authorisation ran out before it was captured: nothing is reserved any more. */
  'payment_lapsed',
  /** The authorisation was released before. */
  'payment_released',
  /** The money was captured already: there is nothing left to release, or another amount was taken. */
  'payment_captured',
  /** More than is left of what was captured. */
  'payment_overrefunded',
  /** The refund was begun and the bank sent it back. */
  'refund_failed',
  /** The provider refuses the request itself: a bug, or an amount it does not take. */
  'payment_refused',
] as const;
export type PaymentFailure = (typeof paymentFailures)[number];

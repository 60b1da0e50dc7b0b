import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** The search attributes that operators filter by. Ids and codes only, because search attributes are never encrypted. */
export const searchAttributes = {
  stage: defineSearchAttributeKey('ProxieStage', SearchAttributeType.KEYWORD),
  consumer: defineSearchAttributeKey('ProxieConsumer', SearchAttributeType.KEYWORD),
  provider: defineSearchAttributeKey('ProxieProvider', SearchAttributeType.KEYWORD),
  booking: defineSearchAttributeKey('ProxieBooking', SearchAttributeType.KEYWORD_LIST),
  service: defineSearchAttributeKey('ProxieService', SearchAttributeType.KEYWORD),
  region: defineSearchAttributeKey('ProxieRegion', SearchAttributeType.KEYWORD),
  needsAttention: defineSearchAttributeKey('ProxieNeedsAttention', SearchAttributeType.BOOL),
  deadline: defineSearchAttributeKey('ProxieDeadline', SearchAttributeType.DATETIME),
  /** Which release can replay the run's history; see `runShape`. */
  shape: defineSearchAttributeKey('ProxieShape', SearchAttributeType.KEYWORD),
} as const;

/**
 * Changes with a release that cannot replay the histories of the one before. Runs of another shape are replaced by new ones from their
 * timelines (decision 0028).
 */
export const runShape = '2';

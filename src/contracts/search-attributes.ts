import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

/** The search attributes that operators filter by. Ids and codes only, because search attributes are never encrypted. */
export const searchAttributes = {
  stage: defineSearchAttributeKey('ProxieStage', SearchAttributeType.KEYWORD),
  consumer: defineSearchAttributeKey('ProxieConsumer', SearchAttributeType.KEYWORD),
  provider: defineSearchAttributeKey('ProxieProvider', SearchAttributeType.KEYWORD),
  service: defineSearchAttributeKey('ProxieService', SearchAttributeType.KEYWORD),
  region: defineSearchAttributeKey('ProxieRegion', SearchAttributeType.KEYWORD),
  needsAttention: defineSearchAttributeKey('ProxieNeedsAttention', SearchAttributeType.BOOL),
  deadline: defineSearchAttributeKey('ProxieDeadline', SearchAttributeType.DATETIME),
} as const;

/** Workflows and database activities · model calls · mail, SMS, webhooks, vendors. One process may serve all. */
export const taskQueues = ['proxie', 'proxie-llm', 'proxie-outbound'] as const;
export type TaskQueue = (typeof taskQueues)[number];

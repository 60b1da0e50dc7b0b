/**
 * `proxie`: workflows and database activities. `proxie-llm`: model calls. `proxie-outbound`: mail, payments, calendars, vendors. One
 * process may serve all three.
 */
export const taskQueues = ['proxie', 'proxie-llm', 'proxie-outbound'] as const;
export type TaskQueue = (typeof taskQueues)[number];

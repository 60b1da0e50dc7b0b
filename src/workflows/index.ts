// The workflows that a worker knows. A workflow that is not exported here cannot run.
export { bookingWorkflow } from './booking.ts';
export { calendarImportWorkflow } from './calendar-import.ts';
export { enrollmentWorkflow } from './enrollment.ts';
export { mailWorkflow } from './mail.ts';
export { requestWorkflow } from './request.ts';
export { seriesWorkflow } from './series.ts';
export { reconcileWorkflow } from './reconcile.ts';

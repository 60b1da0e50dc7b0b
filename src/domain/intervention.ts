import type { Actor } from './actor.ts';
import { DomainError } from './errors.ts';

/**
 * Checks that an intervention comes from an operator and has a known action, a reason (1 to 500 characters) and a ticket (1 to 100). The
 * check is by hand because no schema checks input from the Web UI or the CLI.
 * @param actions the actions that this noun knows
 * @throws forbidden_role; validation_failed naming the fields
 */
export function checkIntervention(
  command: { by: Actor; action: string; ticket: string; reason?: string },
  actions: readonly string[],
): void {
  if (command.by?.role !== 'admin') throw new DomainError('forbidden_role');
  const given = (value: unknown, most: number) => typeof value === 'string' && value.trim().length > 0 && value.length <= most;
  const fields = [
    ...(actions.includes(command.action) ? [] : [{ field: '/action', message: `must be one of ${actions.join(', ')}` }]),
    ...(given(command.ticket, 100) ? [] : [{ field: '/ticket', message: 'is required: 1 to 100 characters' }]),
    ...(given(command.reason, 500) ? [] : [{ field: '/reason', message: 'is required: 1 to 500 characters' }]),
  ];
  if (fields.length)
    throw new DomainError('validation_failed', fields.map(({ field, message }) => `${field} ${message}`).join('; '), { fields });
}

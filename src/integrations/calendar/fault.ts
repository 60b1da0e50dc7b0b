import type { ImportFault } from '../../domain/calendar/import.ts';

/** The calendar cannot be read now. Its earlier busy times stay. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
  readonly code: ImportFault;

  constructor(code: ImportFault) {
    super(code);
    this.code = code;
  }
}

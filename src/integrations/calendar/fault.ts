import type { ImportFault } from '../../domain/calendar/import.ts';

/** This calendar cannot be read now; what was read before stays. */
export class ImportError extends Error {
  override readonly name = 'ImportError';
  readonly code: ImportFault;

  constructor(code: ImportFault) {
    super(code);
    this.code = code;
  }
}

// Constants that the calendar feed and the calendar import share.
/** The end of every UID in our feeds, after the booking's id. An imported event with such a UID is our own booking. */
export const feedUidSuffix = '@booking.proxie';

/** Reasons why a provider's calendar could not be read. The sentences say what the provider can do. */
export const importFaults = {
  unsafe_url: 'The address does not lead to a public https server.',
  unreachable: 'The server cannot be reached, or is out of order.',
  timeout: 'The server took too long.',
  bad_certificate: 'The certificate of the server is not valid.',
  redirected: 'The server names another address: store that one.',
  refused: 'The server refused: is the address still the one your calendar shows?',
  too_large: 'The calendar is larger than 5 MB: share a smaller one.',
  garbled: 'The answer of the server could not be read.',
  wrong_type: 'The address leads to something else than a calendar: use the one that ends in .ics.',
  unreadable: 'The calendar is damaged or not complete.',
  too_complex: 'The calendar has too many busy times: share a smaller one.',
} as const;
export type ImportFault = keyof typeof importFaults;

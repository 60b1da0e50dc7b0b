import { lazy } from './lazy.ts';

const loadPhones = lazy(async () => (await import('libphonenumber-js')).findPhoneNumbersInText);

const email = /[\p{L}\p{N}._%+-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu;

export interface Mask {
  /** The text with every e-mail address and phone number replaced by a mark. The same value always gets the same mark. */
  hide(text: string): string;
  /** The text with every mark replaced by the value behind the mark. */
  restore(text: string): string;
  /** Whether any value was hidden. */
  readonly used: boolean;
}

/** Hides e-mail addresses and phone numbers for one turn. With `salt` in the marks, a person cannot write a mark themselves. */
export async function createMask(salt: string): Promise<Mask> {
  const findPhones = await loadPhones();
  const marks = new Map<string, string>();
  const values = new Map<string, string>();
  const markOf = (kind: string, value: string) => {
    const known = marks.get(value);
    if (known) return known;
    const mark = `[${kind}-${salt}-${marks.size + 1}]`;
    marks.set(value, mark);
    values.set(mark, value);
    return mark;
  };
  return {
    hide(text) {
      const withoutMail = text.replace(email, (value) => markOf('email', value));
      // Replaced from the end of the text, so that the earlier positions stay valid.
      return findPhones(withoutMail, { defaultCountry: 'US' })
        .reverse()
        .reduce((masked, { startsAt, endsAt }) => {
          const value = withoutMail.slice(startsAt, endsAt);
          return value.includes(salt) ? masked : `${masked.slice(0, startsAt)}${markOf('phone', value)}${masked.slice(endsAt)}`;
        }, withoutMail);
    },
    restore: (text) => [...values].reduce((restored, [mark, value]) => restored.replaceAll(mark, value), text),
    get used() {
      return marks.size > 0;
    },
  };
}

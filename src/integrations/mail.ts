// Sending mail: a port, and its implementation for SMTP.
import { createTransport } from 'nodemailer';

export interface Mail {
  /** A mail that is sent twice has the same Message-ID, so that a receiver can drop the second one. */
  id: string;
  to: string;
  subject: string;
  text: string;
}

/** `later`: the server refused this mail for now · `never`: it refused this mail for good. */
export type MailOutcome = 'accepted' | 'later' | 'never';

export interface Mailer {
  /** Sends one mail. @throws when the server cannot be reached or refuses the sign-in; such an error does not depend on the mail */
  send(mail: Mail): Promise<MailOutcome>;
  close(): void;
}

const second = 1_000;

/** Sends through one SMTP server over a few kept connections. The URL contains credentials and is never logged. */
export function smtpMailer({ smtpUrl, from }: { smtpUrl: string; from: string }): Mailer {
  const transport = createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: 3,
    maxMessages: 100,
    connectionTimeout: 10 * second,
    greetingTimeout: 10 * second,
    socketTimeout: 30 * second,
    // Bodies come from templates. These options make sure that no body can read files or fetch addresses.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const domain = /@([\w.-]+)/.exec(from)?.[1] ?? 'localhost';
  return {
    async send({ id, to, subject, text }) {
      try {
        await transport.sendMail({
          from,
          to: { name: '', address: to },
          subject,
          text,
          messageId: `<${id}@${domain}>`,
          headers: { 'Auto-Submitted': 'auto-generated' },
        });
        return 'accepted';
      } catch (error) {
        const outcome = outcomeOf(error as SmtpError);
        if (outcome) return outcome;
        throw error;
      }
    },
    close: () => transport.close(),
  };
}

interface SmtpError extends Error {
  code?: string;
  /** The server's reply code, RFC 5321. */
  responseCode?: number;
}

/**
 * The outcome of one mail, from the replies to its sender, recipient and contents. Failures of greeting, sign-in and connection
 * do not depend on the mail: undefined.
 */
function outcomeOf({ code, responseCode = 0 }: SmtpError): MailOutcome | undefined {
  if (code !== 'EENVELOPE' && code !== 'EMESSAGE') return undefined;
  if (responseCode >= 500) return 'never';
  return responseCode >= 400 ? 'later' : 'never';
}

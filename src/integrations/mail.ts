// Mail: a port, and SMTP.
import { createTransport } from 'nodemailer';

export interface Mail {
  /** The same mail sent twice carries the same Message-ID, so that a receiver can drop the second. */
  id: string;
  to: string;
  subject: string;
  text: string;
}

/** `later`: the server said not now to this mail · `never`: it refused this mail for good. */
export type MailOutcome = 'accepted' | 'later' | 'never';

export interface Mailer {
  /** @throws when the server cannot be reached or does not let us in: that says nothing about the mail */
  send(mail: Mail): Promise<MailOutcome>;
  close(): void;
}

const second = 1_000;

/** Sends through one SMTP server over a few kept connections. The URL carries credentials: it is never logged. */
export function smtpMailer({ smtpUrl, from }: { smtpUrl: string; from: string }): Mailer {
  const transport = createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: 3,
    maxMessages: 100,
    connectionTimeout: 10 * second,
    greetingTimeout: 10 * second,
    socketTimeout: 30 * second,
    // Bodies come from templates; nothing in them may make us read files or fetch addresses.
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
  /** The server's reply, RFC 5321. */
  responseCode?: number;
}

/** Only replies to this mail are about this mail: sender, recipient or contents. Greeting, sign-in and lost lines are the server's. */
function outcomeOf({ code, responseCode = 0 }: SmtpError): MailOutcome | undefined {
  if (code !== 'EENVELOPE' && code !== 'EMESSAGE') return undefined;
  if (responseCode >= 500) return 'never';
  return responseCode >= 400 ? 'later' : 'never';
}

import { SMTPServer } from 'smtp-server';
import { anyPort } from './ports.ts';

export interface ReceivedMail {
  messageId: string;
  to: string;
  subject: string;
  raw: string;
}

export interface MailServer {
  url: string;
  received: ReceivedMail[];
  /** The SMTP code that the server answers to a recipient; null accepts the mail. */
  answer: (to: string, attempt: number) => number | null;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A real SMTP server that keeps the mails that it accepted. */
export async function mailServer(): Promise<MailServer> {
  const port = await anyPort();
  const attempts = new Map<string, number>();
  let server: SMTPServer | undefined;

  const mails: MailServer = {
    url: `smtp://127.0.0.1:${port}`,
    received: [],
    answer: () => null,
    async start() {
      server = new SMTPServer({
        disabledCommands: ['STARTTLS', 'AUTH'],
        logger: false,
        // Clients keep their connections open, so the closing server does not wait for them.
        closeTimeout: 50,
        onRcptTo({ address }, _session, done) {
          const attempt = (attempts.get(address) ?? 0) + 1;
          attempts.set(address, attempt);
          const code = mails.answer(address, attempt);
          done(code === null ? null : Object.assign(new Error('as the test wishes'), { responseCode: code }));
        },
        onData(stream, session, done) {
          const chunks: Buffer[] = [];
          stream.on('data', (chunk: Buffer) => chunks.push(chunk));
          stream.on('end', () => {
            const raw = Buffer.concat(chunks).toString();
            const header = (name: string) => new RegExp(`^${name}: (.*)$`, 'mi').exec(raw)?.[1]?.trim() ?? '';
            mails.received.push({
              messageId: header('Message-ID'),
              to: session.envelope.rcptTo[0]?.address ?? '',
              subject: header('Subject'),
              raw,
            });
            done();
          });
        },
      });
      await new Promise<void>((resolve, reject) => server!.once('error', reject).listen(port, '127.0.0.1', resolve));
      // A client that is killed in the middle of a mail is no error of the server.
      server.on('error', () => undefined);
    },
    stop: () => new Promise((resolve) => (server ? server.close(() => resolve()) : resolve())),
  };
  await mails.start();
  return mails;
}

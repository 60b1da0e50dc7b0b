import type { Issuer } from './issuer.ts';
import type { StackFile } from './stack-file.ts';

/** The people of the demo tokens: external subjects as an identity provider would name them. The city has a user for each. */
export const people = {
  consumer: { subject: 'demo-consumer', roles: ['consumer'] },
  providers: [
    { subject: 'demo-provider-1', roles: ['provider'] },
    { subject: 'demo-provider-2', roles: ['provider'] },
    { subject: 'demo-provider-3', roles: ['provider'] },
  ],
  operator: { subject: 'demo-operator', roles: ['admin'] },
} as const;

const lifetimeS = 30 * 24 * 3_600;

export async function demoTokens({ token }: Issuer): Promise<StackFile['tokens']> {
  return {
    consumer: await token({ ...people.consumer, lifetimeS }),
    providers: await Promise.all(people.providers.map((provider) => token({ ...provider, lifetimeS }))),
    operator: await token({ ...people.operator, lifetimeS }),
  };
}

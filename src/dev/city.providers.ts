import type { Catalogue, ServiceSpec } from '../domain/intake/catalogue.ts';
import { cityPlaces, type CityPlace } from './city.places.ts';
import { people } from './people.ts';

export interface CityProvider {
  subject: string;
  displayName: string;
  bio: string;
  lat: number;
  lon: number;
  radiusKm: number;
  minimumNoticeMinutes: number;
  ratingSum: number;
  ratingCount: number;
  services: { code: string; price: number; durationMinutes: number; currency: string }[];
  openings: { weekday: number; startMinute: number; endMinute: number }[];
  licences: string[];
}

const everyDay = [1, 2, 3, 4, 5, 6, 7];
/** Typical opening hours: office hours, long days with a Saturday, late hours, weekends. */
const schedules = [
  { days: [1, 2, 3, 4, 5], from: 9, to: 17 },
  { days: [1, 2, 3, 4, 5, 6], from: 8, to: 18 },
  { days: [2, 3, 4, 5, 6], from: 12, to: 21 },
  { days: [5, 6, 7], from: 8, to: 20 },
  { days: everyDay, from: 7, to: 19 },
];

const names = [
  'Ana Ribeiro',
  'Marcus Bell',
  'Priya Nair',
  'Tomasz Wolski',
  'Keisha Grant',
  'Luis Ortega',
  'Hannah Stein',
  'Yusuf Demir',
  'Mei Lin',
  'Connor Walsh',
  'Fatou Diop',
  'Elena Petrova',
  'Jamal Carter',
  'Sofia Romano',
  'Andre Lewis',
  'Nora Haddad',
  'Kenji Mori',
  'Grace Osei',
  'Pavel Novak',
  'Rosa Delgado',
  'Ivy Chen',
  'Samuel Okoro',
  'Lena Fischer',
  'Diego Torres',
  'Aisha Khan',
  'Peter Lindqvist',
  'Camille Roy',
  'Omar Farah',
  'Julia Santos',
  'Ben Adler',
  'Thandi Mokoena',
  'Victor Ruiz',
  'Mina Park',
  'Daniel Katz',
  'Chloe Martin',
  'Raj Patel',
  'Olga Ivanova',
];

/** A number between 0 and 1 that is always the same for the same index, so that the city is the same on every machine. */
const share = (index: number, salt: number): number => {
  const x = Math.sin(index * 12.9898 + salt * 78.233) * 43_758.5453;
  return x - Math.floor(x);
};
const between = (min: number, max: number, index: number, salt: number) => min + Math.floor(share(index, salt) * (max - min + 1));
const toFullDollars = (cents: number) => Math.round(cents / 500) * 500;

/** All providers of the demo city: the three of the demo tokens, and enough others for every service to have a choice. */
export function cityProviders({ categories }: Catalogue): CityProvider[] {
  return [
    ...people.providers.map(({ subject }, index) => demoProvider(subject, index, categories)),
    ...names.map((name, index) => neighbour(name, index, categories)),
  ];
}

/**
 * A provider of the demo tokens. They offer every service around the clock and without notice, so that trying out works at any
 * hour.
 */
function demoProvider(subject: string, index: number, categories: Catalogue['categories']): CityProvider {
  const [home] = cityPlaces;
  const services = categories.flatMap((category) => category.services);
  return {
    subject,
    displayName: ['Brooklyn Home Care', 'Northside Services', 'Handy & Daughters'][index]!,
    bio: 'Demo provider: every service, day and night.',
    lat: home!.lat + index * 0.002,
    lon: home!.lon - index * 0.002,
    radiusKm: 40,
    minimumNoticeMinutes: 0,
    ratingSum: 240 - index * 8,
    ratingCount: 50,
    services: services.map((spec) => offered(spec, 0.3 + index * 0.15)),
    openings: everyDay.map((weekday) => ({ weekday, startMinute: 0, endMinute: 1_440 })),
    licences: licencesFor(services),
  };
}

function neighbour(name: string, index: number, categories: Catalogue['categories']): CityProvider {
  const category = categories[index % categories.length]!;
  const home: CityPlace = cityPlaces[(index * 7) % cityPlaces.length]!;
  const { days, from, to } = schedules[index % schedules.length]!;
  const ratingCount = between(0, 120, index, 1);
  return {
    subject: `city-provider-${index + 1}`,
    displayName: name,
    bio: `${category.name} in ${home.name} and around.`,
    lat: home.lat + (share(index, 2) - 0.5) / 100,
    lon: home.lon + (share(index, 3) - 0.5) / 100,
    radiusKm: between(5, 25, index, 4),
    minimumNoticeMinutes: [60, 120, 240, 1_440][index % 4]!,
    ratingSum: Math.round(ratingCount * (3.6 + share(index, 5) * 1.4)),
    ratingCount,
    services: category.services.map((spec) => offered(spec, share(index, 6))),
    openings: days.map((weekday) => ({ weekday, startMinute: from * 60, endMinute: to * 60 })),
    licences: licencesFor(category.services),
  };
}

/** @param level from 0 for the lowest price in the catalogue to 1 for the highest */
const offered = ({ code, priceCents, durationMinutes, currency }: ServiceSpec, level: number) => ({
  code,
  currency,
  price: toFullDollars(priceCents.min + level * (priceCents.max - priceCents.min)),
  durationMinutes: durationMinutes.usual,
});

const licencesFor = (services: readonly ServiceSpec[]) => [
  ...new Set(services.filter(({ licence }) => licence !== null).map(({ category }) => category)),
];

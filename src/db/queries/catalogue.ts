import { checkCatalogue, type Catalogue } from '../../domain/catalogue.ts';
import { sql, type Db } from '../orm.ts';

/** A version never changes once stored, so a process may keep it for good. */
const known = new Map<number, Catalogue>();

/** The catalogue of one version, or the newest. @throws Error when none has been seeded */
export async function loadCatalogue(em: Db, version?: number): Promise<Catalogue> {
  const cached = version === undefined ? undefined : known.get(version);
  if (cached) return cached;
  const [row] = await sql<{ content: Catalogue }>(
    em,
    'select content from catalogue_version where ?::int is null or version = ?::int order by version desc limit 1',
    [version ?? null, version ?? null],
  );
  if (!row) throw new Error('No catalogue is stored: run the migrations and the seed.');
  const catalogue = checkCatalogue(row.content);
  known.set(catalogue.version, catalogue);
  return catalogue;
}

/** Stores a catalogue version; storing it again changes nothing. */
export async function storeCatalogue(em: Db, catalogue: Catalogue): Promise<void> {
  await sql(em, 'insert into catalogue_version (version, content) values (?, ?::jsonb) on conflict (version) do nothing', [
    catalogue.version,
    JSON.stringify(checkCatalogue(catalogue)),
  ]);
}

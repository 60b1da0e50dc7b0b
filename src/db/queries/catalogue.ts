import { checkCatalogue, type Catalogue } from '../../domain/intake/catalogue.ts';
import { sql, type Db } from '../orm.ts';

/** Catalogue versions that were read. A stored version never changes, so the process keeps it. */
const known = new Map<number, Catalogue>();

/** The newest version. @throws Error when none has been seeded */
export async function latestCatalogueVersion(em: Db): Promise<number> {
  const [row] = await sql<{ version: number | null }>(em, 'select max(version) as version from catalogue_version');
  if (row?.version == null) throw new Error('No catalogue is stored: run the migrations and the seed.');
  return row.version;
}

/** The catalogue of one version, or the newest; read and checked once per process. @throws Error when it is not stored */
export async function loadCatalogue(em: Db, version?: number): Promise<Catalogue> {
  const wanted = version ?? (await latestCatalogueVersion(em));
  const cached = known.get(wanted);
  if (cached) return cached;
  const [row] = await sql<{ content: Catalogue }>(em, 'select content from catalogue_version where version = ?', [wanted]);
  if (!row) throw new Error(`Catalogue version ${wanted} is not stored.`);
  const catalogue = checkCatalogue(row.content);
  known.set(wanted, catalogue);
  return catalogue;
}

/** Stores a catalogue version; storing it again changes nothing. */
export async function storeCatalogue(em: Db, catalogue: Catalogue): Promise<void> {
  await sql(em, 'insert into catalogue_version (version, content) values (?, ?::jsonb) on conflict (version) do nothing', [
    catalogue.version,
    JSON.stringify(checkCatalogue(catalogue)),
  ]);
}

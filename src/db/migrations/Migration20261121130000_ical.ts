import { Migration } from '@mikro-orm/migrations';

/** The address from which a provider's app reads bookings, and providers' external calendars that make them busy. */
export class Ical extends Migration {
  override up(): void {
    for (const statement of schema.split(/;\n/).map((text) => text.trim())) if (statement) this.addSql(statement);
  }

  override down(): void {
    this.addSql('drop table if exists "busy_block", "calendar_import", "calendar_feed" cascade');
  }
}

const schema = `
create table "calendar_feed" (
  "provider_id" uuid not null,
  "token_hash" text not null,
  "created_at" timestamptz(3) not null default now(),
  primary key ("provider_id")
);
alter table "calendar_feed" add constraint "calendar_feed_token_unique" unique ("token_hash");
alter table "calendar_feed" add constraint "calendar_feed_provider_id_foreign" foreign key ("provider_id") references "provider" ("id") on update cascade on delete cascade;

create table "calendar_import" (
  "id" uuid not null,
  "provider_id" uuid not null,
  "name" text not null,
  "url" text not null,
  "next_try_at" timestamptz(3) not null,
  "last_read_at" timestamptz(3) null,
  "fault" text null,
  "failures" int not null default 0,
  "told_at" timestamptz(3) null,
  "etag" text null,
  "last_modified" text null,
  "zone" text null,
  "parsed_at" timestamptz(3) null,
  "created_at" timestamptz(3) not null default now(),
  primary key ("id")
);
create index "calendar_import_due_index" on "calendar_import" ("next_try_at");
alter table "calendar_import" add constraint "calendar_import_name_unique" unique ("provider_id", "name");
alter table "calendar_import" add constraint "calendar_import_provider_id_foreign" foreign key ("provider_id") references "provider" ("id") on delete cascade;

create table "busy_block" (
  "import_id" uuid not null,
  "during" tstzrange not null,
  "provider_id" uuid not null,
  primary key ("import_id", "during")
);
create index "busy_block_provider_index" on "busy_block" using gist (provider_id, during);
alter table "busy_block" add constraint "busy_block_import_id_foreign" foreign key ("import_id") references "calendar_import" ("id") on delete cascade;
alter table "busy_block" add constraint "busy_block_provider_id_foreign" foreign key ("provider_id") references "provider" ("id") on delete cascade;
`;

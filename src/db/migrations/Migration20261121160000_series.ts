import { Migration } from '@mikro-orm/migrations';

/** Bookings that repeat, and their occurrences. */
export class BookingSeries extends Migration {
  override up(): void {
    for (const statement of schema.split(/;\n/).map((text) => text.trim())) if (statement) this.addSql(statement);
  }

  override down(): void {
    this.addSql('drop table if exists "series_occurrence", "series" cascade');
  }
}

const schema = `
create table "series" (
  "id" uuid not null,
  "booking_id" uuid not null,
  "consumer_id" uuid not null,
  "provider_id" uuid not null,
  "service_code" text not null,
  "status" text not null default 'proposed',
  "status_reason" text null,
  "every_weeks" smallint not null,
  "zone" text not null,
  "price" int not null,
  "currency" text not null,
  "expires_at" timestamptz(3) not null,
  "created_at" timestamptz(3) not null default now(),
  "closed_at" timestamptz(3) null,
  primary key ("id")
);
create index "series_consumer_index" on "series" ("consumer_id", "created_at", "id");
create index "series_provider_index" on "series" ("provider_id", "created_at", "id");
alter table "series" add constraint "series_terms_check" check (price >= 0 and every_weeks > 0);
alter table "series" add constraint "series_status_check" check ("status" in ('proposed', 'active', 'declined', 'expired', 'ended'));

create table "series_occurrence" (
  "series_id" uuid not null,
  "n" smallint not null,
  "status" text not null default 'planned',
  "during" tstzrange not null,
  "booking_id" uuid null,
  "code" text null,
  "alternatives" jsonb null,
  primary key ("series_id", "n")
);
comment on column "series_occurrence"."code" is 'why it was not booked';
comment on column "series_occurrence"."alternatives" is 'slots that were free near it then';
alter table "series_occurrence" add constraint "series_occurrence_booking_unique" unique ("booking_id");
alter table "series_occurrence" add constraint "series_occurrence_check" check (n > 0 and not isempty(during));
alter table "series_occurrence" add constraint "series_occurrence_booked_check" check ((status = 'booked') = (booking_id is not null));
alter table "series_occurrence" add constraint "series_occurrence_status_check" check ("status" in ('planned', 'booked', 'missed', 'skipped'));

alter table "series" add constraint "series_booking_id_foreign" foreign key ("booking_id") references "booking" ("id");
alter table "series" add constraint "series_consumer_id_foreign" foreign key ("consumer_id") references "user_account" ("id");
alter table "series" add constraint "series_provider_id_foreign" foreign key ("provider_id") references "provider" ("id");

alter table "series_occurrence" add constraint "series_occurrence_series_id_foreign" foreign key ("series_id") references "series" ("id") on delete cascade;
`;

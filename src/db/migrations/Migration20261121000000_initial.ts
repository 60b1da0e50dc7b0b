import { Migration } from '@mikro-orm/migrations';

// Generated from the entities, then read and completed by hand: extensions come first (gist over uuid and text needs
// btree_gist, positions need cube and earthdistance). test/integration/schema.test.ts proves that entities equal migrations.
export class InitialSchema extends Migration {
  override up(): void {
    this.addSql('create extension if not exists btree_gist');
    this.addSql('create extension if not exists cube');
    this.addSql('create extension if not exists earthdistance');
    for (const statement of schema.split(/;\n/).map((text) => text.trim())) if (statement) this.addSql(statement);
  }

  override down(): void {
    this.addSql(
      `drop table if exists "candidate", "catalogue_version", "enrollment_revision", "event", "fact", "idempotency_key", "message", "notification", "open_stream", "place", "review_draft", "turn", "user_account", "request", "provider", "provider_service", "offer", "offer_version", "availability_rule", "availability_exception", "enrollment", "credential", "booking", "review" cascade`,
    );
  }
}

const schema = `
create table "candidate" (
  "request_id" uuid not null,
  "round" smallint not null,
  "provider_id" uuid not null,
  "gates" text[] not null default '{}',
  "score" real not null default 0,
  "contributions" jsonb not null default '{}',
  "suggested" jsonb null,
  "distance_km" real not null,
  "invited" boolean not null default false,
  "created_at" timestamptz(3) not null default now(),
  primary key ("request_id", "round", "provider_id")
);

create table "catalogue_version" (
  "version" int not null,
  "content" jsonb not null,
  "created_at" timestamptz(3) not null default now(),
  primary key ("version")
);

create table "enrollment_revision" (
  "id" uuid not null,
  "enrollment_id" uuid not null,
  "details" jsonb not null,
  "created_at" timestamptz(3) not null default now(),
  primary key ("id")
);
create index "enrollment_revision_index" on "enrollment_revision" ("enrollment_id");

create table "event" (
  "stream" text not null,
  "seq" int not null,
  "command_id" text not null,
  "part" smallint not null default 0,
  "type" text not null,
  "actor_id" uuid not null,
  "actor_role" text not null,
  "on_behalf_of" uuid null,
  "reason" text null,
  "data" jsonb not null,
  "audience" uuid[] not null default '{}',
  "at" timestamptz(3) not null,
  "position" bigserial not null,
  "transaction" xid8 not null default pg_current_xact_id(),
  primary key ("stream", "seq")
);
comment on column "event"."audience" is 'users who may see it';
comment on column "event"."transaction" is 'readers of the whole log stay below the oldest running one';
create index "event_audience_index" on event using gin (audience);
alter table "event" add constraint "event_command_unique" unique ("stream", "command_id", "part");
alter table "event" add constraint "event_position_unique" unique ("position");
alter table "event" add constraint "event_seq_check" check (seq > 0 and part >= 0);
alter table "event" add constraint "event_actor_role_check" check (actor_role in ('guest', 'consumer', 'provider', 'admin', 'system'));

create table "fact" (
  "id" uuid not null,
  "stream" text not null,
  "key" text not null,
  "value" jsonb not null,
  "status" text not null default 'staged',
  "source_message_id" uuid null,
  "confidence" real not null default 1,
  "confirmed" boolean not null default false,
  "created_at" timestamptz(3) not null default now(),
  primary key ("id")
);
create index "fact_stream_index" on "fact" ("stream", "status", "key");
alter table "fact" add constraint "fact_status_check" check ("status" in ('staged', 'current', 'replaced', 'rejected'));

create table "idempotency_key" (
  "id" text not null,
  "actor_id" uuid not null,
  "fingerprint" text not null,
  "state" text not null,
  "status" int null,
  "body" jsonb null,
  "headers" jsonb null,
  "locked_until" timestamptz(3) not null,
  "created_at" timestamptz(3) not null default now(),
  "expires_at" timestamptz(3) not null,
  primary key ("id")
);
create index "idempotency_key_expiry_index" on "idempotency_key" ("expires_at");
alter table "idempotency_key" add constraint "idempotency_key_state_check" check (state in ('in_flight', 'done'));

create table "message" (
  "id" uuid not null,
  "stream" text not null,
  "author_id" uuid not null,
  "author_role" text not null,
  "text" text not null,
  "turn_id" uuid null,
  "created_at" timestamptz(3) not null default now(),
  primary key ("id")
);
create index "message_stream_index" on "message" ("stream", "created_at", "id");
alter table "message" add constraint "message_author_role_check" check (author_role in ('guest', 'consumer', 'provider', 'admin'));

create table "notification" (
  "id" uuid not null default gen_random_uuid(),
  "recipient_id" uuid not null,
  "kind" text not null,
  "stream" text not null,
  "seq" int not null,
  "data" jsonb not null default '{}',
  "read_at" timestamptz(3) null,
  "mailed_at" timestamptz(3) null,
  "mail_status" text not null default 'waiting',
  "mail_attempts" smallint not null default 0,
  "mail_after" timestamptz(3) not null default now(),
  "created_at" timestamptz(3) not null default now(),
  primary key ("id")
);
comment on column "notification"."mail_after" is 'not before: a claim that runs, or the pause after a failure';
create index "notification_recipient_index" on "notification" ("recipient_id", "created_at", "id");
create index "notification_unsent_index" on notification (mail_after) where mail_status = 'waiting';
alter table "notification" add constraint "notification_event_unique" unique ("stream", "seq", "recipient_id", "kind");
alter table "notification" add constraint "notification_mail_status_check" check ("mail_status" in ('waiting', 'sent', 'skipped', 'failed'));

create table "open_stream" (
  "stream" text not null,
  "opened_at" timestamptz(3) not null default now(),
  primary key ("stream")
);

create table "place" (
  "name" text not null,
  "aliases" text[] not null default '{}',
  "region" text not null,
  "lat" double precision not null,
  "lon" double precision not null,
  "zone" text not null,
  primary key ("name")
);

create table "review_draft" (
  "id" uuid not null,
  "booking_id" uuid not null,
  "author_id" uuid not null,
  "text" text not null,
  "created_at" timestamptz(3) not null default now(),
  primary key ("id")
);

create table "turn" (
  "id" uuid not null,
  "stream" text not null,
  "status" text not null default 'pending',
  "attempt" smallint not null default 0,
  "intent" text null,
  "reply" text null,
  "outcome" jsonb null,
  "model" text null,
  "prompt_version" text null,
  "input_tokens" int not null default 0,
  "output_tokens" int not null default 0,
  "created_at" timestamptz(3) not null default now(),
  "finished_at" timestamptz(3) null,
  primary key ("id")
);
comment on column "turn"."outcome" is 'what runTurn answered, so that a repeated run costs no second model call';
create index "turn_stream_index" on "turn" ("stream", "created_at", "id");
alter table "turn" add constraint "turn_status_check" check ("status" in ('pending', 'streaming', 'done', 'superseded', 'failed'));

create table "user_account" (
  "id" uuid not null,
  "issuer" text not null,
  "subject" text not null,
  "email" text null,
  "display_name" text null,
  "roles" text[] not null default '{consumer}',
  "status" text not null default 'active',
  "zone" text not null default 'UTC',
  "preferences" jsonb not null default '{}',
  "created_at" timestamptz(3) not null default now(),
  primary key ("id")
);
alter table "user_account" add constraint "user_account_subject_unique" unique ("issuer", "subject");
alter table "user_account" add constraint "user_account_status_check" check (status in ('active', 'suspended', 'erased'));

create table "request" (
  "id" uuid not null,
  "consumer_id" uuid not null,
  "status" text not null default 'intake',
  "status_reason" text null,
  "mode" text not null default 'compare',
  "service_code" text null,
  "catalogue_version" int not null,
  "draft_hash" text null,
  "missing" text[] not null default '{}',
  "round" smallint not null default 0,
  "accepted_offer_id" uuid null,
  "booking_id" uuid null,
  "deadline" timestamptz(3) null,
  "created_at" timestamptz(3) not null default now(),
  "closed_at" timestamptz(3) null,
  primary key ("id")
);
create index "request_consumer_index" on "request" ("consumer_id", "created_at", "id");
create index "request_open_index" on request (id) where status in ('intake', 'matching', 'offering', 'booked');
alter table "request" add constraint "request_status_check" check ("status" in ('intake', 'matching', 'offering', 'booked', 'completed', 'unfilled', 'abandoned', 'cancelled'));
alter table "request" add constraint "request_mode_check" check ("mode" in ('compare', 'instant'));

create table "provider" (
  "id" uuid not null,
  "display_name" text not null,
  "bio" text not null default '',
  "status" text not null default 'active',
  "zone" text not null,
  "lat" double precision not null,
  "lon" double precision not null,
  "radius_km" double precision not null default 15,
  "portfolio" jsonb not null default '[]',
  "minimum_notice_minutes" int not null default 60,
  "horizon_days" int not null default 60,
  "daily_cap" int null,
  "capacity" int not null default 1,
  "rating_sum" int not null default 0,
  "rating_count" int not null default 0,
  "created_at" timestamptz(3) not null default now(),
  primary key ("id")
);
alter table "provider" add constraint "provider_calendar_check" check (minimum_notice_minutes >= 0 and (horizon_days >= 1 and horizon_days <= 730) and (capacity >= 1 and capacity <= 100));
alter table "provider" add constraint "provider_status_check" check ("status" in ('active', 'paused', 'suspended', 'closed'));

create table "provider_service" (
  "provider_id" uuid not null,
  "service_code" text not null,
  "price" int not null,
  "currency" text not null,
  "duration_minutes" int not null,
  "buffer_before_minutes" int not null default 0,
  "buffer_after_minutes" int not null default 0,
  "specialisations" text[] not null default '{}',
  "active" boolean not null default true,
  "position" cube not null,
  primary key ("provider_id", "service_code")
);
create index "provider_service_nearest_index" on provider_service using gist (service_code, position) where active;
alter table "provider_service" add constraint "provider_service_numbers_check" check (price >= 0 and (duration_minutes >= 5 and duration_minutes <= 1440));

create table "offer" (
  "id" uuid not null,
  "request_id" uuid not null,
  "provider_id" uuid not null,
  "round" smallint not null,
  "status" text not null default 'invited',
  "status_reason" text null,
  "version" smallint not null,
  "price" int not null,
  "currency" text not null,
  "during" tstzrange not null,
  "zone" text not null,
  "score" real not null,
  "expires_at" timestamptz(3) null,
  "proposed_at" timestamptz(3) null,
  "created_at" timestamptz(3) not null default now(),
  "changed_at" timestamptz(3) not null default now(),
  primary key ("id")
);
create index "offer_provider_index" on "offer" ("provider_id", "created_at", "id");
create index "offer_request_index" on "offer" ("request_id", "created_at", "id");
alter table "offer" add constraint "offer_round_unique" unique ("request_id", "provider_id", "round");
alter table "offer" add constraint "offer_price_check" check (price >= 0);
alter table "offer" add constraint "offer_status_check" check ("status" in ('invited', 'proposed', 'countered', 'accepted', 'declined', 'withdrawn', 'expired', 'superseded'));

create table "offer_version" (
  "offer_id" uuid not null,
  "version" smallint not null,
  "by_role" text not null,
  "price" int not null,
  "currency" text not null,
  "during" tstzrange not null,
  "created_at" timestamptz(3) not null default now(),
  primary key ("offer_id", "version")
);

create table "availability_rule" (
  "provider_id" uuid not null,
  "weekday" smallint not null,
  "start_minute" int not null,
  "end_minute" int not null,
  primary key ("provider_id", "weekday", "start_minute")
);
comment on column "availability_rule"."weekday" is 'ISO: 1 Monday … 7 Sunday';
alter table "availability_rule" add constraint "availability_rule_check" check ((weekday >= 1 and weekday <= 7) and start_minute >= 0 and start_minute < end_minute and end_minute <= 1440);

create table "availability_exception" (
  "id" uuid not null,
  "provider_id" uuid not null,
  "kind" text not null,
  "from_date" date not null,
  "to_date" date not null,
  "start_minute" int null,
  "end_minute" int null,
  "reason" text null,
  primary key ("id")
);
create index "availability_exception_range_index" on "availability_exception" ("provider_id", "from_date", "to_date");
alter table "availability_exception" add constraint "availability_exception_range_check" check (from_date <= to_date);
alter table "availability_exception" add constraint "availability_exception_hours_check" check ((kind = 'closed') = (start_minute is null) and (start_minute is null) = (end_minute is null));
alter table "availability_exception" add constraint "availability_exception_kind_check" check (kind in ('closed', 'extra'));

create table "enrollment" (
  "id" uuid not null,
  "applicant_id" uuid not null,
  "status" text not null default 'draft',
  "status_reason" text null,
  "details" jsonb not null,
  "checks" jsonb not null default '[]',
  "created_at" timestamptz(3) not null default now(),
  "decided_at" timestamptz(3) null,
  primary key ("id")
);
create index "enrollment_applicant_index" on "enrollment" ("applicant_id", "created_at", "id");
create index "enrollment_status_index" on "enrollment" ("status", "created_at", "id");
alter table "enrollment" add constraint "enrollment_status_check" check ("status" in ('draft', 'submitted', 'checking', 'in_review', 'changes_requested', 'approved', 'rejected', 'withdrawn', 'expired'));

create table "credential" (
  "id" uuid not null,
  "provider_id" uuid not null,
  "kind" text not null,
  "category" text null,
  "status" text not null default 'pending',
  "reference" text not null,
  "valid_until" timestamptz(3) null,
  "created_at" timestamptz(3) not null default now(),
  primary key ("id")
);
create index "credential_provider_index" on "credential" ("provider_id", "kind");
alter table "credential" add constraint "credential_kind_check" check ("kind" in ('licence', 'insurance', 'identity', 'background_check'));
alter table "credential" add constraint "credential_status_check" check ("status" in ('pending', 'verified', 'expiring', 'lapsed', 'revoked', 'refused'));

create table "booking" (
  "id" uuid not null,
  "request_id" uuid not null,
  "offer_id" uuid not null,
  "consumer_id" uuid not null,
  "provider_id" uuid not null,
  "service_code" text not null,
  "status" text not null default 'held',
  "status_reason" text null,
  "during" tstzrange not null,
  "occupied" tstzrange not null,
  "seat" smallint not null default 0,
  "zone" text not null,
  "price" int not null,
  "final_price" int null,
  "currency" text not null,
  "policy" jsonb not null,
  "held_until" timestamptz(3) not null,
  "created_at" timestamptz(3) not null default now(),
  "closed_at" timestamptz(3) null,
  primary key ("id")
);
create index "booking_consumer_index" on "booking" ("consumer_id", "created_at", "id");
create index "booking_provider_index" on "booking" ("provider_id", "created_at", "id");
create index "booking_request_index" on "booking" ("request_id");
alter table "booking" add constraint "booking_no_overlap" exclude using gist (provider_id with =, seat with =, occupied with &&) where (status in ('held', 'confirmed', 'in_progress'));
alter table "booking" add constraint "booking_interval_check" check (not isempty(during) and occupied @> during);
alter table "booking" add constraint "booking_price_check" check (price >= 0 and (final_price is null or final_price >= 0));
alter table "booking" add constraint "booking_status_check" check ("status" in ('held', 'confirmed', 'in_progress', 'completed', 'released', 'cancelled', 'no_show', 'disputed', 'settled'));

create table "review" (
  "id" uuid not null,
  "booking_id" uuid not null,
  "author_id" uuid not null,
  "author_role" text not null,
  "subject_id" uuid not null,
  "status" text not null default 'submitted',
  "rating" smallint not null,
  "text" text not null default '',
  "reply" text null,
  "reported" boolean not null default false,
  "created_at" timestamptz(3) not null default now(),
  "published_at" timestamptz(3) null,
  primary key ("id")
);
create index "review_subject_index" on "review" ("subject_id", "published_at", "id");
alter table "review" add constraint "review_author_unique" unique ("booking_id", "author_role");
alter table "review" add constraint "review_rating_check" check ((rating >= 1 and rating <= 5));
alter table "review" add constraint "review_author_role_check" check (author_role in ('consumer', 'provider'));
alter table "review" add constraint "review_status_check" check ("status" in ('submitted', 'published', 'hidden'));

alter table "request" add constraint "request_consumer_id_foreign" foreign key ("consumer_id") references "user_account" ("id");

alter table "provider" add constraint "provider_id_foreign" foreign key ("id") references "user_account" ("id") on update cascade on delete cascade;

alter table "provider_service" add constraint "provider_service_provider_id_foreign" foreign key ("provider_id") references "provider" ("id") on delete cascade;

alter table "offer" add constraint "offer_request_id_foreign" foreign key ("request_id") references "request" ("id");
alter table "offer" add constraint "offer_provider_id_foreign" foreign key ("provider_id") references "provider" ("id");

alter table "offer_version" add constraint "offer_version_offer_id_foreign" foreign key ("offer_id") references "offer" ("id") on delete cascade;

alter table "availability_rule" add constraint "availability_rule_provider_id_foreign" foreign key ("provider_id") references "provider" ("id") on delete cascade;

alter table "availability_exception" add constraint "availability_exception_provider_id_foreign" foreign key ("provider_id") references "provider" ("id") on delete cascade;

alter table "enrollment" add constraint "enrollment_applicant_id_foreign" foreign key ("applicant_id") references "user_account" ("id");

alter table "credential" add constraint "credential_provider_id_foreign" foreign key ("provider_id") references "user_account" ("id");

alter table "booking" add constraint "booking_request_id_foreign" foreign key ("request_id") references "request" ("id");
alter table "booking" add constraint "booking_consumer_id_foreign" foreign key ("consumer_id") references "user_account" ("id");
alter table "booking" add constraint "booking_provider_id_foreign" foreign key ("provider_id") references "provider" ("id");

alter table "review" add constraint "review_booking_id_foreign" foreign key ("booking_id") references "booking" ("id");
`;

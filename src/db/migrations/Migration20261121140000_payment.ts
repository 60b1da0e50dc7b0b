import { Migration } from '@mikro-orm/migrations';

/** How consumers pay, and the result of every authorisation. */
export class Payments extends Migration {
  override up(): void {
    for (const statement of schema.split(/;\n/).map((text) => text.trim())) if (statement) this.addSql(statement);
  }

  override down(): void {
    this.addSql('drop table if exists "payment", "payment_method" cascade');
  }
}

const schema = `
create table "payment_method" (
  "user_id" uuid not null,
  "method_ref" text null,
  "customer_ref" text null,
  "attached" boolean not null default false,
  "stored_at" timestamptz(3) null,
  primary key ("user_id")
);
comment on column "payment_method"."attached" is 'tied to the customer';
alter table "payment_method" add constraint "payment_method_stored_check" check ((method_ref is null) = (stored_at is null));

create table "payment" (
  "id" uuid not null,
  "booking_id" uuid not null,
  "attempt" smallint not null,
  "status" text not null default 'requested',
  "amount" int not null,
  "captured" int not null default 0,
  "released" int not null default 0,
  "refunded" int not null default 0,
  "currency" text not null,
  "ref" text null,
  "lapses_at" timestamptz(3) null,
  "created_at" timestamptz(3) not null default now(),
  "changed_at" timestamptz(3) not null default now(),
  primary key ("id")
);
comment on column "payment"."ref" is 'the provider''s name for it';
alter table "payment" add constraint "payment_attempt_unique" unique ("booking_id", "attempt");
alter table "payment" add constraint "payment_attempt_check" check (attempt > 0);
alter table "payment" add constraint "payment_amount_check" check (amount >= 0 and captured >= 0 and released >= 0 and refunded >= 0);
alter table "payment" add constraint "payment_balance_check" check (captured + released <= amount and refunded <= captured);
alter table "payment" add constraint "payment_captured_check" check (status <> 'captured' or captured + released = amount);
alter table "payment" add constraint "payment_released_check" check (status <> 'released' or released = amount);
alter table "payment" add constraint "payment_ref_check" check ((status <> 'authorised' and status <> 'captured') or ref is not null);
alter table "payment" add constraint "payment_status_check" check ("status" in ('requested', 'authorised', 'declined', 'captured', 'released'));

alter table "payment_method" add constraint "payment_method_user_id_foreign" foreign key ("user_id") references "user_account" ("id") on update cascade on delete cascade;

alter table "payment" add constraint "payment_booking_id_foreign" foreign key ("booking_id") references "booking" ("id");
`;

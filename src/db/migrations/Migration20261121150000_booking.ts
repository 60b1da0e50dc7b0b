import { Migration } from '@mikro-orm/migrations';

/**
 * The cost of an end, proposed slots, codes at the door, occurrences of a series. This migration only adds, so running
 * processes of the old code keep working.
 */
export class BookingLife extends Migration {
  override up(): void {
    this.addSql(
      `alter table "booking" add column "fee" int null, add column "refund" int null, add column "reschedule" jsonb null, add column "series_id" uuid null`,
    );
    this.addSql(`comment on column "booking"."fee" is 'what a cancellation or a no-show costs the consumer'`);
    this.addSql(`comment on column "booking"."refund" is 'what a ruling gives back'`);
    this.addSql(`comment on column "booking"."reschedule" is 'the proposed slot that waits for an answer'`);
    this.addSql(`create index "booking_series_index" on "booking" ("series_id")`);
    this.addSql(`alter table "booking" drop constraint "booking_price_check"`);
    this.addSql(
      `alter table "booking" add constraint "booking_price_check" check (price >= 0 and (final_price is null or final_price >= 0) and (fee is null or fee >= 0) and (refund is null or refund >= 0))`,
    );
    this.addSql(
      `create table "check_in_code" ("booking_id" uuid not null, "code" text not null, "wrong" smallint not null default 0, "created_at" timestamptz(3) not null default now(), primary key ("booking_id"))`,
    );
    this.addSql(
      `alter table "check_in_code" add constraint "check_in_code_booking_id_foreign" foreign key ("booking_id") references "booking" ("id") on update cascade on delete cascade`,
    );
    this.addSql(`alter table "check_in_code" add constraint "check_in_code_check" check (code ~ '^[0-9]{6}$' and wrong >= 0)`);
  }

  override down(): void {
    this.addSql(`drop table if exists "check_in_code"`);
    this.addSql(`alter table "booking" drop constraint "booking_price_check"`);
    this.addSql(`alter table "booking" drop column "fee", drop column "refund", drop column "reschedule", drop column "series_id"`);
    this.addSql(
      `alter table "booking" add constraint "booking_price_check" check (price >= 0 and (final_price is null or final_price >= 0))`,
    );
  }
}

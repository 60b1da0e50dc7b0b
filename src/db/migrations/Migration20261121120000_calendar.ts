import { Migration } from '@mikro-orm/migrations';

/** Calendars are read by when bookings start: what occupies a stretch of time, and what counts for a day. */
export class Calendar extends Migration {
  override up(): void {
    this.addSql('create index "booking_start_index" on "booking" (provider_id, lower(during))');
  }

  override down(): void {
    this.addSql('drop index "booking_start_index"');
  }
}

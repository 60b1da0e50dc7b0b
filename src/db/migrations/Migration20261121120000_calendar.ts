import { Migration } from '@mikro-orm/migrations';

/** Indexes for reading a calendar by the start of its bookings: what occupies a stretch of time, and what counts for a day. */
export class Calendar extends Migration {
  override up(): void {
    this.addSql('create index "booking_start_index" on "booking" (provider_id, lower(during))');
  }

  override down(): void {
    this.addSql('drop index "booking_start_index"');
  }
}

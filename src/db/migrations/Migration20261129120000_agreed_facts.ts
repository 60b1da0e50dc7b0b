import { Migration } from '@mikro-orm/migrations';

/**
 * A request names the facts that the consumer agreed to, so later current facts do not replace them. Requests that were sent
 * out before this migration get their current facts.
 */
export class Migration20261129120000_agreed_facts extends Migration {
  override up(): void {
    this.addSql(`alter table request add column agreed_facts uuid[] null`);
    this.addSql(`comment on column request.agreed_facts is 'the facts that were sent out: all that is read from then on'`);
    this
      .addSql(`update request r set agreed_facts = array(select f.id from fact f where f.stream = 'request/' || r.id and f.status = 'current')
      where exists (select 1 from event e where e.stream = 'request/' || r.id and e.type = 'request.submitted')`);
  }

  override down(): void {
    this.addSql(`alter table request drop column agreed_facts`);
  }
}

// In the manner of the examples of xk6-sql, old and new.
import { check } from 'k6';
import sql from 'k6/x/sql';
import driver from 'k6/x/sql/driver/postgres';
import exec from 'k6/execution';

const db = sql.open(driver, __ENV.DATABASE_URL);
export const options = { thresholds: { 'db_query_duration{operation:select}': ['p(95)<60000'], checks: ['rate==1'] } };

export function setup() {
  db.exec(`CREATE TABLE IF NOT EXISTS perfctl_roster (id SERIAL PRIMARY KEY, given VARCHAR(50) NOT NULL, height NUMERIC(5,1), more JSONB, born TIMESTAMPTZ);
    CREATE INDEX IF NOT EXISTS perfctl_roster_given ON perfctl_roster (given);`);
}

export default function () {
  const name = `Peter-${exec.scenario.iterationInTest}`;
  const result = db.exec("INSERT INTO perfctl_roster (given, height, more, born) VALUES ($1, $2, $3, '2026-01-01T00:00:00Z')", name, 1.5, { a: [1] });
  const rows = db.query('SELECT id, given, height, more, born, NULL AS nothing, count(*) OVER () AS n FROM perfctl_roster WHERE given = $1', name);
  const old = sql.query(db, 'SELECT given FROM perfctl_roster WHERE id = $1', String(rows[0].id));
  let wrong = '';
  try { db.query('SELECT * FROM perfctl_missing'); } catch (e) { wrong = String(e); }
  check(rows, {
    inserted: () => result.rowsAffected() === 1,
    selected: (r) => r.length === 1 && r[0].given === name && r[0].height === 1.5 && r[0].more.a[0] === 1 && r[0].nothing === null && r[0].n === 1,
    dated: (r) => r[0].born.toISOString() === '2026-01-01T00:00:00.000Z',
    'old way': () => old[0].given === name,
    refused: () => wrong.includes('perfctl_missing'),
  });
}

export function teardown() {
  db.exec('DROP TABLE perfctl_roster');
  db.close();
}

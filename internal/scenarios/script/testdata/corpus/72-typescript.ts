// want 4 GET /catalog/books?limit=2
// want 4 PUT /catalog/books/1 Content-Type=application/json {"id":1,"kind":"book","tags":["x"]}
// check typed 4/4
import http, { RefinedResponse, ResponseType, Params } from 'k6/http';
import { Options, Scenario } from 'k6/options';
import { check } from 'k6';
import { Trend } from 'k6/metrics';

enum Kind { Book = 'book', Film = 'film' }
interface Item<T extends Kind = Kind> { readonly id: number; kind: T; tags?: string[] }
type Answer = { items: Array<Pick<Item, 'id'>> };

const main: Scenario = { executor: 'per-vu-iterations', vus: 2, iterations: 2 };
export const options: Options = { scenarios: { main }, thresholds: { catalog_time: ['p(95)<60000'] } };

class Catalog {
  private readonly time = new Trend('catalog_time', true);
  static readonly #path = '/catalog';
  constructor(private base: string, protected params: Params = { headers: { 'Content-Type': 'application/json' } }) {}
  list(kind: Kind, limit: number = 2): RefinedResponse<ResponseType> {
    const r = http.get(`${this.base}${Catalog.#path}/${kind}s?limit=${limit}`);
    this.time.add(r.timings.duration);
    return r;
  }
  put<K extends Kind>(item: Item<K>) { return http.put(`${this.base}${Catalog.#path}/${item.kind}s/${item.id}`, JSON.stringify(item), this.params); }
}

const catalog = new Catalog(__ENV.BASE_URL as string);

export default function (): void {
  const r = catalog.list(Kind.Book);
  const body = r.json() as unknown as Answer;
  const id = body?.items?.[0]?.id ?? -1;
  catalog.put({ id, kind: Kind.Book, tags: ['x'] } satisfies Item);
  check(r, { typed: (x) => x.status === 200 && id === 1 });
}

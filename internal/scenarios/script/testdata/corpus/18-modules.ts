// want 4 GET /items/7?page=2&size=10
import http from 'k6/http';
import { api, Item } from './lib/api';
import settings from './lib/settings.json';
export default function (): void { const i: Item = { id: 7 }; http.get(api(i, settings.size)); }

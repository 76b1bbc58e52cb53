const pages = JSON.parse(open('./pages.json'));

export interface Item { id: number }

export const api = (i: Item, size: number): string => `${__ENV.BASE_URL}/items/${i.id}?page=${pages.start}&size=${size}`;

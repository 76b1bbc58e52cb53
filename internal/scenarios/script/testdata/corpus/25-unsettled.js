// fails its promise is never settled
export default async function () { await new Promise(() => {}); }

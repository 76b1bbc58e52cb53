// fails Error: no luck (testdata/corpus/92-rejected.js:3
export default async function () {
  await Promise.reject(new Error('no luck'));
}

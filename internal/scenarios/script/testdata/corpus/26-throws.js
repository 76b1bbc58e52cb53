// fails Error: broken order 7 (testdata/corpus/26-throws.js:4:
export default function () {
  const id = 7;
  throw new Error(`broken order ${id}`);
}

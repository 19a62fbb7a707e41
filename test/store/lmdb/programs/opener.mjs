// Opens a store and does as it is told, a word on standard input at a time; what came of it is a line on standard output.
import { createInterface } from 'node:readline'
import { argv, setegid, seteuid, stdin } from 'node:process'
import { openStore } from '../../../../dist/store/index.js'

const [, , directory = '', mode = '', uid] = argv
if (uid !== undefined) {
  // As that user it may not be read any more
  await import('lmdb')
  setegid?.(Number(uid))
  seteuid?.(Number(uid))
}
/** @type {Record<string, () => Promise<unknown>>} */
const does = {
  get: async () => (await store.table('t')).get(1),
  put: async () => (await store.table('t')).put(2, 'written'),
  size: async () => (await store.table('t')).size(),
}
/** @param {unknown} error */
const codeOf = error => /** @type {{ code?: string }} */ (error).code ?? String(error)

const store = await openStore(directory, { readOnly: mode === 'reader' }).catch(error => {
  console.log(`refused ${codeOf(error)}`)
  process.exit(0)
})
console.log('open')
for await (const word of createInterface({ input: stdin })) {
  console.log(await does[word]?.().then(String, codeOf))
}
await store.close()
console.log('closed')

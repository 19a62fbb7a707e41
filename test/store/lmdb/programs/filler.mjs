// Fills the small disk that it is given, and says as JSON what came of it. Arguments: a directory on that disk.
import { rmSync, writeFileSync } from 'node:fs'
import { argv } from 'node:process'
import { openStore } from '../../../../dist/store/index.js'

const [, , directory = ''] = argv

/**
 * @param {Promise<unknown>} promise
 * @returns {Promise<string>}
 */
const codeOf = promise => promise.then(() => 'ok', error => error.code ?? String(error)) // prettier-ignore

// Until the store shall be opened again: who owns it takes room, too
writeFileSync(`${directory}/reserve`, Buffer.alloc(65_536))
let store = await openStore(`${directory}/store`)
/** @type {import('../../../../dist/store/index.js').Table<number, unknown>} */
let table = await store.table('t', { indexes: { round: ['round'] } })
/** @param {number} n */
const value = n => ({ round: n % 10, filling: Buffer.alloc(3000, n) })

let acknowledged = 0
let code = 'ok'
while (code === 'ok') {
  code = await codeOf(table.put(acknowledged, value(acknowledged)))
  if (code === 'ok') acknowledged++
}
const transaction = await codeOf(
  store.transaction(async tx => {
    for (let n = 0; n < 50; n++) await tx.table(table).put(10_000 + n, value(n))
  }),
)
// Several at once, of which one is too large for what is left
const [large, small] = await Promise.all([codeOf(table.put(20_000, Buffer.alloc(8_000_000))), codeOf(table.delete(0))])
const { rows, entries } = await store.verify()
const backup = await codeOf(store.backup(`${directory}/backup`))
const compact = await codeOf(store.compact())

// A disk that is full to the last byte takes no other store
let filler = 0
try {
  for (; ; filler++) writeFileSync(`${directory}/filler-${filler}`, Buffer.alloc(4096), { flag: 'wx' })
} catch {
  // which was to be
}
const second = await codeOf(openStore(`${directory}/second`))
for (let n = 0; n <= filler; n++) rmSync(`${directory}/filler-${n}`, { force: true })

for (let n = 1; n < acknowledged / 2; n++) await table.delete(n)
const after = await codeOf(table.put(1, value(1)))
await store.close()
rmSync(`${directory}/reserve`)
store = await openStore(`${directory}/store`)
table = await store.table('t', { indexes: { round: ['round'] } })
const size = await table.size()
await store.verify()
let lost = 0
for (let n = Math.ceil(acknowledged / 2); n < acknowledged; n++) if (!(await table.has(n))) lost++
await store.close()
console.log(JSON.stringify({ acknowledged, code, transaction, large, small, rows, entries, backup, compact, second, after, size, lost }))

// Writes rows for ever, and says on standard output what was acknowledged, after it was. Arguments: directory, seed.
//
// Several lines of work at once: rows of their own that are put and deleted, and transfers between accounts in transactions over two tables.
import { writeSync } from 'node:fs'
import { argv } from 'node:process'
import { openStore } from '../../../../dist/store/index.js'

const [, , directory = '', seed = ''] = argv
const store = await openStore(directory)
const rows = await store.table('rows', { indexes: { round: ['round'] } })
/** @type {import('../../../../dist/store/index.js').Table<number, number>} */
const accounts = await store.table('accounts')
const log = await store.table('log')

const sleeper = new Int32Array(new SharedArrayBuffer(4))

/**
 * At once, and whole, however slowly it is read.
 *
 * @param {string} line
 */
function say(line) {
  let rest = Buffer.from(`${line}\n`)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(1, rest))
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error
      Atomics.wait(sleeper, 0, 0, 1)
    }
  }
}

if (!(await accounts.has(0))) {
  await store.transaction(async tx => {
    for (let n = 0; n < 10; n++) await tx.table(accounts).put(n, 100)
  })
}
say('ready')

let state = Number(seed)
/** @param {number} below */
const random = below => {
  state = (state * 1103515245 + 12345) % 2147483648
  return Math.floor((state / 2147483648) * below)
}

/** @param {string} line */
async function puts(line) {
  for (let n = 0; ; n++) {
    const key = random(50)
    const name = `${line}-${key}`
    if (random(4) === 0) {
      say(`try ${name} gone`)
      await rows.delete(name)
      say(`did ${name} gone`)
    } else {
      const round = `${seed}.${n}`
      say(`try ${name} ${round}`)
      // Some of many pages
      await rows.put(name, { round, filling: Buffer.alloc(random(10) === 0 ? 20_000 : random(300), 7) })
      say(`did ${name} ${round}`)
    }
  }
}

/** @param {string} line */
async function transfers(line) {
  for (let n = 0; ; n++) {
    const [from, to, amount] = [random(10), random(10), random(20)]
    const entry = `${seed}.${line}.${n}`
    await store.transaction(async tx => {
      const table = tx.table(accounts)
      await table.put(from, Number(await table.get(from)) - amount)
      await table.put(to, Number(await table.get(to)) + amount)
      await tx.table(log).put(entry, amount)
    })
    say(`log ${entry}`)
  }
}

await Promise.all([puts('a'), puts('b'), puts('c'), transfers('x'), transfers('y')])

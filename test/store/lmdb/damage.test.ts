/** Files that are damaged, cut off, or another program's: a coded error, and they are left as they were. */
import { createHash } from 'node:crypto'
import { copyFileSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { open } from 'lmdb'
import t from 'tap'
import { openStore } from '../../../src/store/index.js'

const digest = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex')

/** A file with pages of every kind: branches, leaves, values of several pages, and free ones unless it is `compact`. */
async function sound(directory: string, compact = false): Promise<string> {
  await using store = await openStore(directory)
  const table = await store.table<number, Buffer>('t', { indexes: { all: [] } })
  await Promise.all(Array.from({ length: 300 }, (_, n) => table.put(n, Buffer.alloc(n % 9 === 0 ? 9000 : 200, n))))
  await Promise.all(Array.from({ length: 100 }, (_, n) => table.delete(n * 3)))
  if (compact) await store.compact()
  return `${directory}/data.mdb`
}

/** Opens it, and when that succeeds reads all: the code of what was wrong. */
async function outcome(directory: string): Promise<string> {
  try {
    await using store = await openStore(directory)
    await store.verify()
    return 'sound'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  }
}

t.test('cut off anywhere', async t => {
  const directory = t.testdir({ sound: {} })
  // Without the room that is taken behind the last page: that may go
  const file = await sound(`${directory}/sound`, true)
  const { length } = readFileSync(file)
  const outcomes = new Map<string, number>()
  for (const [n, size] of [
    1,
    100,
    4095,
    4096,
    8191,
    8192,
    8193,
    ...Array.from({ length: 20 }, (_, i) => Math.floor((length * (i + 1)) / 21)),
  ].entries()) {
    const copy = `${directory}/cut-${n}`
    mkdirSync(copy)
    copyFileSync(file, `${copy}/data.mdb`)
    truncateSync(`${copy}/data.mdb`, size)
    const before = digest(`${copy}/data.mdb`)
    const said = await outcome(copy)
    outcomes.set(said, (outcomes.get(said) ?? 0) + 1)
    // The last pages may be free ones: then nothing is missing
    if (said !== 'sound') t.equal(digest(`${copy}/data.mdb`), before, `${size} bytes are left as they were`)
  }
  t.ok(
    [...outcomes.keys()].every(said => ['STORE_CORRUPT', 'STORE_FOREIGN', 'sound'].includes(said)),
    [...outcomes].join(' '),
  )
  t.ok(outcomes.get('STORE_CORRUPT')! >= 20)
})

t.test('bytes changed anywhere: found, or harmless, and never a crash', async t => {
  const directory = t.testdir({ sound: {} })
  const file = await sound(`${directory}/sound`, true)
  const bytes = readFileSync(file)
  let found = 0
  let state = 42
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31
    return Math.floor((state / 2 ** 31) * below)
  }
  for (let n = 0; n < 120; n++) {
    const copy = `${directory}/flip-${n}`
    mkdirSync(copy)
    const damaged = Buffer.from(bytes)
    // Half of them in the headers of pages, where structure is
    const page = random(bytes.length / 4096)
    const at = page * 4096 + (n % 2 === 0 ? random(64) : random(4000))
    for (let i = 0; i < 4; i++) damaged[at + i] = random(256)
    writeFileSync(`${copy}/data.mdb`, damaged)
    const before = digest(`${copy}/data.mdb`)
    const said = await outcome(copy)
    if (said !== 'sound') found++
    if (!['STORE_CORRUPT', 'STORE_FOREIGN', 'STORE_VERSION', 'sound'].includes(said)) t.fail(`damage at ${at}: ${said}`)
    if (said !== 'sound' && digest(`${copy}/data.mdb`) !== before) t.fail(`damage at ${at}: the file was changed`)
  }
  t.ok(found > 30, `${found} of 120 damages were found; the others hit what is not used`)
})

t.test('what is no file of a store', async t => {
  const directory = t.testdir({
    text: { 'data.mdb': 'This is no LMDB file.\n'.repeat(1000) },
    zeros: { 'data.mdb': Buffer.alloc(20_000) },
    short: { 'data.mdb': 'x' },
    empty: { 'data.mdb': '' },
    file: 'a file',
    other: {},
  })
  for (const name of ['text', 'zeros', 'short']) {
    const before = digest(`${directory}/${name}/data.mdb`)
    await t.rejects(openStore(`${directory}/${name}`), { code: 'STORE_FOREIGN', message: /was left as it is/ }, name)
    await t.rejects(openStore(`${directory}/${name}`, { readOnly: true }), { code: 'STORE_FOREIGN' }, name)
    t.equal(digest(`${directory}/${name}/data.mdb`), before)
  }
  await t.rejects(openStore(`${directory}/file`), { code: 'STORE_IO' }, 'a file where the directory must be')
  await t.rejects(openStore(`${directory}/file/below`), { code: 'STORE_IO' })
  t.equal(await outcome(`${directory}/empty`), 'sound', 'an empty file is a new store')

  const other = open({ path: `${directory}/other`, noSubdir: false })
  await other.put('hello', 'world')
  await other.close()
  const before = digest(`${directory}/other/data.mdb`)
  await t.rejects(openStore(`${directory}/other`), { code: 'STORE_FOREIGN', message: /an LMDB file of another program/ })
  t.equal(digest(`${directory}/other/data.mdb`), before)
})

t.test('a store of a later version', async t => {
  const directory = t.testdir()
  await using _ = await openStore(directory)
  await _.close()
  const { catalogKey } = await import('../../../src/store/lmdb/catalog.js')
  const { packRow } = await import('../../../src/store/lmdb/row.js')
  const { encode } = await import('../../../src/etf/index.js')
  const { atom, tuple } = await import('../../../src/term/index.js')
  const lmdb = open<Buffer, Buffer>({ path: directory, noSubdir: false, encoding: 'binary', keyEncoding: 'binary', overlappingSync: false })
  const catalog = (version: number): Buffer =>
    packRow({ key: Buffer.alloc(0), value: encode(tuple(atom('beamlet_store'), version, 1, [], [])), entries: [] })
  await lmdb.put(catalogKey, catalog(2))
  await lmdb.close()
  await t.rejects(openStore(directory), { code: 'STORE_VERSION', message: /format 2/ })
})

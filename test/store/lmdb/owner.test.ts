/** One owner a directory, and as many readers as there may be. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { pid } from 'node:process'
import t from 'tap'
import { openStore } from '../../../src/store/index.js'
import { Owner } from '../../../src/store/lmdb/owner.js'
import { Opener } from './opener.js'

t.test('two writers: the second is told who has it', async t => {
  const directory = t.testdir()
  const store = await openStore(directory)
  await t.rejects(openStore(directory), { code: 'STORE_LOCKED', message: new RegExp(`This program \\(pid ${pid}\\)`) })
  const second = new Opener(directory, 'owner')
  t.equal(await second.says(), 'refused STORE_LOCKED')
  await second.close()
  await store.close()
  const third = new Opener(directory, 'owner')
  t.equal(await third.says(), 'open', 'after it was closed')
  await t.rejects(openStore(directory), { code: 'STORE_LOCKED', message: new RegExp(`in the process with pid ${third.pid}`) })
  await third.kill()
  await using taken = await openStore(directory)
  t.equal((await taken.tables()).length, 0, 'the lock of who was killed is taken over')
})

t.test('ten at once: one of them', async t => {
  const directory = t.testdir()
  for (let round = 0; round < 3; round++) {
    const opened = await Promise.allSettled(Array.from({ length: 10 }, () => openStore(directory)))
    const [one, ...more] = opened.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
    t.equal(more.length, 0)
    t.strictSame(
      new Set(opened.flatMap(result => (result.status === 'rejected' ? [(result.reason as { code: string }).code] : []))),
      new Set(['STORE_LOCKED']),
    )
    await one!.close()
  }
  const processes = Array.from({ length: 3 }, () => new Opener(directory, 'owner'))
  const said = await Promise.all(processes.map(process => process.says()))
  t.equal(said.filter(word => word === 'open').length, 1)
  t.equal(said.filter(word => word === 'refused STORE_LOCKED').length, 2)
  await Promise.all(processes.map(process => process.close()))
  t.equal(readdirSync(directory).filter(name => name.startsWith('owner')).length, 1, 'they leave one file behind')
})

t.test('readers: other processes, while it is written', async t => {
  const directory = t.testdir()
  await t.rejects(openStore(directory, { readOnly: true }), { code: 'STORE_NO_STORE' })
  t.strictSame(readdirSync(directory), [], 'which makes none')
  await using store = await openStore(directory)
  const table = await store.table('t', { indexes: { all: [] } })
  await table.put(1, 'first')
  const readers = [new Opener(directory, 'reader'), new Opener(directory, 'reader')]
  for (const reader of readers) {
    t.equal(await reader.says(), 'open')
    t.equal(await reader.does('get'), 'first')
    t.equal(await reader.does('put'), 'STORE_READ_ONLY')
  }
  await table.put(1, 'second')
  for (const reader of readers) t.equal(await reader.does('get'), 'second', 'what is acknowledged they see')
  t.strictSame(new Set(store.stats().readers), new Set(readers.map(({ pid }) => pid)))
  await t.rejects(store.compact(), { code: 'STORE_BUSY' })
  await readers[0]!.kill()
  await table.put(1, 'third')
  t.equal(await readers[1]!.does('get'), 'third', 'one that was killed harms nobody')
  await readers[1]!.close()

  await using here = await openStore(directory, { readOnly: true })
  const read = await here.table('t')
  t.equal(String(await read.get(1)), 'third', 'in this process, too')
  t.equal((await read.index('all').get('third')).length, 1)
  const refused: Record<string, () => Promise<unknown>> = {
    put: () => read.put(1, 1),
    delete: () => read.delete(1),
    subscribe: async () => read.subscribe(() => {}),
    deleteTable: () => here.deleteTable('t'),
    'a new index': () => here.table('t', { indexes: { other: ['x'], all: [] } }),
    compact: () => here.compact(),
    'a transaction that writes': () => here.transaction(async tx => tx.table(read).put(1, 1)),
  }
  for (const [name, use] of Object.entries(refused)) await t.rejects(use(), { code: 'STORE_READ_ONLY' }, name)
  await t.rejects(here.table('new'), { code: 'STORE_NO_TABLE' })
  t.equal(await here.transaction(async tx => String(await tx.table(read).get(1))), 'third')
  await store.table('new')
  t.equal(await (await here.table('new')).size(), 0, 'a table that was made since')
  await store.deleteTable('new')
  await t.rejects(here.table('new'), { code: 'STORE_NO_TABLE' })
})

t.test('the file that names the owner', async t => {
  const directory = t.testdir()
  const write = (changes: object): void => writeFileSync(`${directory}/owner.7`, JSON.stringify({ ...mine, ...changes }))
  const owner = Owner.take(directory)
  const mine = JSON.parse(readFileSync(`${directory}/owner.1`, 'utf8')) as Record<string, unknown>
  t.match(mine, { pid, host: hostname() })
  owner.release()
  owner.release()
  t.equal(readFileSync(`${directory}/owner.1`, 'utf8'), '', 'released')

  write({ host: 'elsewhere' })
  t.throws(() => Owner.take(directory), {
    code: 'STORE_LOCKED',
    message: new RegExp(`pid ${pid} on elsewhere.*remove ${directory}/owner.7`, 's'),
  })
  if (process.platform === 'linux') {
    write({ namespace: 'pid:[1]' })
    t.throws(() => Owner.take(directory), { code: 'STORE_LOCKED' }, 'in another container nothing is known of it')
    write({ boot: 'before' })
    Owner.take(directory).release()
    t.strictSame(readdirSync(directory), ['owner.8'], 'of an earlier boot: gone')
    write({ started: '1' })
    Owner.take(directory).release()
    t.strictSame(readdirSync(directory), ['owner.9'], 'the pid is that of another process by now')
  }
  writeFileSync(`${directory}/owner.20`, 'cut of')
  Owner.take(directory).release()
  t.strictSame(readdirSync(directory), ['owner.21'])
  mkdirSync(`${directory}/owner.x`)
  Owner.take(directory).release()
  t.strictSame(readdirSync(directory), ['owner.22', 'owner.x'])
})

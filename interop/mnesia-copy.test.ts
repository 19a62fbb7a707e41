/** `beamlet store copy` between a directory and the Mnesia of real nodes. */
import { join } from 'node:path'
import t from 'tap'
import { atom, float, format, type Term } from '../src/index.js'
import { copyTables, openStore } from '../src/store/index.js'
import { Beamlet, beamlet, fails } from '../test/cli/beamlet.js'
import { eachOtp } from './support/each-otp.js'
import { landOf } from './support/mnesia.js'

t.setTimeout(600_000)

t.test('there and back', async t => {
  await eachOtp(t, async (t, real) => {
    const land = await landOf(t, real, 2)
    const env = { BEAMLET_COOKIE: land.beams[0]!.cookie }
    const run = (...args: string[]): ReturnType<typeof beamlet> => beamlet(['store', 'copy', ...args, '--timeout', '60000'], { env })
    const mnesia = `mnesia:${land.names.join(',')}`
    const directory = t.testdir({})
    const shop = join(directory, 'shop')
    {
      await using store = await openStore(shop)
      const stock = await store.table<Term, any>('stock', { indexes: { price: ['price'] } })
      for (const key of [7, 'pear', [atom('a')]]) await stock.put(key as Term, { price: float(2) })
      const log = await store.table<number, string>('log')
      await Promise.all(Array.from({ length: 3000 }, (_, n) => log.put(n, `entry ${n}`)))
    }
    fails(t, await run(shop, mnesia), 1, 'STORE_NOT_RUNNING', /Mnesia does not run/)
    const there = await land.open({ start: 'disc', floats: 'exact' })

    await t.test('one that is killed is run again, and goes on where it was', async t => {
      {
        await using first = new Beamlet(['store', 'copy', shop, mnesia, 'log', '--timeout', '60000'], { env })
        const changed = new Promise<void>(resolve => {
          void there.table('log').then(table => table.subscribe(() => resolve()))
        })
        await Promise.race([changed, first.ended])
      }
      const before = await (await there.table('log')).size()
      const { code, stdout, stderr } = await run(shop, mnesia)
      t.equal(code, 0, stderr)
      const [, written] = /^log: 3000 rows, (\d+) written$/m.exec(stdout) ?? []
      t.equal(Number(written), 3000 - before)
      t.match(stdout, /^stock: 3 rows, 3 written$/m)
      t.match(stderr, /^beamlet: log: 3000 of 3000 rows, \d+ written$/m)
      t.equal(format(await land.beams[1]!.eval('mnesia:dirty_read(log, 2999).')), '[{log,2999,<<"entry 2999">>}]')
      const stock = await there.table<Term, any>('stock')
      t.equal((await stock.index('price').get(float(2))).length, 3, 'the index, too')
    })

    await t.test('back, named tables, as JSON', async t => {
      const back = join(directory, 'back')
      const { code, stdout } = await run(mnesia, back, 'stock', '--json')
      t.equal(code, 0)
      t.strictSame(JSON.parse(stdout), { table: 'stock', rows: 3, written: 3, extra: 0, functions: [] })
      await using store = await openStore(back, { readOnly: true, floats: 'exact' })
      t.strictSame(await store.tables(), ['stock'])
      t.equal(format((await (await store.table<Term, any>('stock')).get('pear'))!), '#{price => 2.0}')
    })

    await t.test('two keys that would be one', async t => {
      await using store = await openStore(join(directory, 'twins'))
      const twins = await store.table<Term, Term>('twins')
      await twins.put(1, 'integer')
      await twins.put(float(1), 'float')
      await t.rejects(copyTables(store, there), { code: 'STORE_KEY' })
      await there.deleteTable('twins')
      await there.table('twins', { type: 'set' })
      await copyTables(store, there)
      t.equal(String(await (await there.table('twins')).get(float(1))), 'float')
    })

    await t.test('what is wrong', async t => {
      fails(t, await run(join(directory, 'nowhere'), mnesia), 1, 'STORE_NO_STORE', /nowhere/)
      fails(t, await run(shop, mnesia, 'nothing'), 1, 'STORE_NO_TABLE', /nothing/)
      fails(t, await run(shop, 'mnesia:here'), 2, 'CLI_USAGE', /names no BEAM nodes/)
      fails(t, await run(shop, 'mnesia:nobody@127.0.0.1'), 3, 'STORE_NODE_DOWN', /nobody@127.0.0.1/)
      fails(t, await beamlet(['store'], { env }), 2, 'CLI_USAGE', /missing/)
    })
  })
})

/** A Mnesia whose nodes are of different releases: what runs there is read by each node itself. */
import t from 'tap'
import { atom } from '../src/index.js'
import { type Beam, releases, startBeam } from '../src/interop/index.js'
import { landOf } from './support/mnesia.js'

t.setTimeout(600_000)

t.test('nodes of three releases: whichever is asked', async t => {
  const beams: Beam[] = []
  t.teardown(async () => void (await Promise.all(beams.map(beam => beam.stop()))))
  const start: typeof startBeam = async options => {
    const beam = await startBeam({ ...options, otp: releases[Number(/^mn(\d)/.exec(options!.name as string)![1])]! })
    beams.push(beam)
    return beam
  }
  const land = await landOf(t, { start }, releases.length)
  t.strictSame(
    land.beams.map(({ otp }) => otp),
    releases,
  )
  await land.open({ start: 'disc' })
  for (const [n, name] of land.names.entries()) {
    const store = await land.open({ nodes: [name, ...land.names.filter(other => other !== name)] })
    const table = await store.table<string, any>('rows', { copies: { disc: land.names }, indexes: { n: ['n'] } })
    await store.transaction(async tx => {
      t.equal(await tx.table(table).get('last'), n === 0 ? undefined : n - 1)
      await tx.table(table).put('last', n)
      await tx.transaction(inner => inner.table<string, any>('rows').put(`of ${name}`, { n }))
    })
    t.equal((await table.index('n').get(n)).length, 1)
    for (const beam of land.beams)
      t.equal(await beam.eval('[{rows, _, N}] = mnesia:dirty_read(rows, <<"last">>), N.'), n, `${atom(beam.name).name} has it`)
  }
})

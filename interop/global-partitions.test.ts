/**
 * Clusters of BEAM nodes of all three releases and TypeScript nodes: everybody finds everybody, and where one connection is cut, the same nodes
 * stay connected as in a cluster of BEAM nodes alone.
 */
import t, { type Test } from 'tap'
import { atom, format, type Sendable } from '../src/index.js'
import { fullGraph, type Kinds, type Member, rest, settled, startMembers } from './support/mixed.js'

const beams: Kinds = ['beam', 'beam', 'beam', 'beam']

/** One name, as all see it */
async function everywhere(t: Test, members: readonly Member[], name: Sendable, of: Member): Promise<void> {
  for (const member of members) t.equal((await member.whereis(name))?.node.name, of.name, `${format(name)} on ${member.name}`)
}

const nobody = async (t: Test, members: readonly Member[], name: Sendable): Promise<void> => {
  for (const member of members) t.equal(await member.whereis(name), undefined, `${format(name)} on ${member.name}`)
}

t.test('nodes of all releases that meet at once are of one cluster, with one view of names', async t => {
  const members = await startMembers(t, ['beam', 'ts', 'beam', 'ts', 'beam'])
  for (const [index, member] of members.entries()) t.equal(await member.register(['early', index]), true)
  await Promise.all(members.slice(1).map(async (member, index) => member.connect((members[index] as Member).name)))
  await settled(members)
  for (const [index, member] of members.entries()) await everywhere(t, members, ['early', index], member)
  const answers = await Promise.all(members.map(member => member.register('wanted')))
  t.equal(answers.filter(Boolean).length, 1, 'one of all that want a name at once gets it')
  await everywhere(t, members, 'wanted', members[answers.indexOf(true)] as Member)

  await t.test('a node that leaves by global:disconnect leaves the others whole', async t => {
    for (const index of [1, 0]) {
      const left = members[index] as Member
      await left.leave()
      const others = members.filter(member => member !== left)
      t.strictSame(await left.nodes(), [])
      await settled(others)
      await nobody(t, others, ['early', index])
      await everywhere(t, [left], ['early', index], left)
      await left.connect((others[0] as Member).name)
      await settled(members)
      await everywhere(t, members, ['early', index], left)
    }
  })

  await t.test('a node that connects to one connects to all, and leaves without a trace', async t => {
    const [first] = members as [Member]
    await (members[3] as Member).stop()
    await settled(members.filter((_, index) => index !== 3))
    await nobody(t, [first], ['early', 3])
  })
})

/** Cuts the connection of the first two, waits for what is left, and heals it. @param graphs what may be left */
async function cut(t: Test, kinds: Kinds, graphs: readonly string[], prevent?: boolean): Promise<void> {
  const members = await startMembers(t, kinds, { prevent })
  const [one, two, three] = members as [Member, Member, Member]
  for (const member of members.slice(1)) await member.connect(one.name)
  await settled(members)
  for (const [index, member] of members.entries()) t.equal(await member.register(['of', index]), true)
  await one.disconnect(two.name)
  const left = await rest(members, graphs)
  t.ok(graphs.includes(left), left)
  if (prevent !== false) {
    for (const [index, member] of members.entries()) {
      const others = await member.nodes()
      for (const [other, { name }] of members.entries()) {
        const found = await member.whereis(['of', other])
        t.equal(
          found?.node.name,
          name === member.name || others.includes(name) ? name : undefined,
          `${index} knows ${other}'s as it sees it`,
        )
      }
    }
    await two.connect(one.name)
    await one.connect(three.name)
    await settled(members)
    for (const [index, member] of members.entries()) await everywhere(t, members, ['of', index], member)
    for (const [index, member] of members.entries()) t.equal(await member.register(atom(`after${index}`)), true)
    for (const [index, member] of members.entries()) await everywhere(t, members, atom(`after${index}`), member)
  }
}

t.test('where one connection is cut, the others let go of both, and all find together again', async t => {
  // Each of the two tells the others, who let go of the other one. A node that is let go before it has seen its own loss has nobody left to tell of it,
  // and only it is alone then: that is so among BEAM nodes, too.
  const graphs = ['0: 1: 2:3 3:2', '0:2,3 1: 2:0,3 3:0,2', '0: 1:2,3 2:1,3 3:1,2']
  await t.test('BEAM nodes alone', t => cut(t, beams, graphs))
  await t.test('between BEAM nodes', t => cut(t, ['beam', 'beam', 'ts', 'beam'], graphs))
  await t.test('… that a TypeScript node and its like see', t => cut(t, ['beam', 'beam', 'ts', 'ts'], graphs))
  await t.test('by a TypeScript node, from a BEAM node', t => cut(t, ['ts', 'beam', 'beam', 'beam'], graphs))
  await t.test('by a BEAM node, from a TypeScript node', t => cut(t, ['beam', 'ts', 'beam', 'ts'], graphs))
  await t.test('between TypeScript nodes', t => cut(t, ['ts', 'ts', 'beam', 'beam'], graphs))
})

t.test('without the prevention of overlapping partitions nobody else lets go', async t => {
  const graphs = ['0:2,3 1:2,3 2:0,1,3 3:0,1,2']
  await t.test('BEAM nodes alone', t => cut(t, beams, graphs, false))
  await t.test('TypeScript nodes among them', t => cut(t, ['ts', 'beam', 'beam', 'ts'], graphs, false))
})

t.test('what is whole stays so', async t => {
  const members = await startMembers(t, ['ts', 'beam', 'ts'])
  const [one, two, three] = members as [Member, Member, Member]
  await Promise.all([one.connect(two.name), two.connect(three.name), three.connect(one.name)])
  await settled(members, fullGraph(3))
  for (let time = 0; time < 3; time++) {
    await one.leave()
    await settled([two, three])
    await one.connect(three.name)
    await settled(members)
  }
  t.equal(await two.register('last'), true)
  await everywhere(t, members, 'last', two)
})

import t from 'tap'
import { AtomReferences } from '../../src/dist/atom-references.js'
import { type Atom, atom } from '../../src/term/index.js'

const names = Array.from({ length: 300 }, (_, i) => atom(`reference_${i}`) as Atom)

t.test('atoms are numbered as they come, and keep their numbers', async t => {
  const references = new AtomReferences()
  const first = names.slice(0, 255).map(name => references.of(name))
  t.strictSame(
    first,
    Array.from({ length: 255 }, (_, i) => i),
  )
  t.strictSame(
    names.slice(0, 255).map(name => references.of(name)),
    first,
  )
  t.strictSame(references.atoms, names.slice(0, 255))
})

t.test('the 256th has none', async t => {
  const references = new AtomReferences()
  for (const name of names) references.of(name)
  t.strictSame(
    [254, 255, 299].map(i => references.of(names[i] as Atom)),
    [254, -1, -1],
  )
  t.equal(references.atoms.length, 255)
})

t.test('each message begins anew', async t => {
  const references = new AtomReferences()
  for (const name of names) references.of(name)
  references.clear()
  t.strictSame(references.atoms, [])
  t.strictSame([references.of(names[20] as Atom), references.of(names[0] as Atom), references.of(names[20] as Atom)], [0, 1, 0])
  for (const name of names) references.of(name)
  t.strictSame([references.of(names[20] as Atom), references.of(names[0] as Atom)], [0, 1])
})

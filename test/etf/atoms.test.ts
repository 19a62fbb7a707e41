import t from 'tap'
import { AtomBudget, atomFromLatin1, atomFromUtf8, atomOfTerm, termOfAtom } from '../../src/etf/atoms.js'
import { Atom, atom } from '../../src/term/index.js'

const plenty = new AtomBudget(1_000_000)
const fromUtf8 = (text: string | Buffer): unknown => {
  const bytes = Buffer.concat([Buffer.of(1), Buffer.from(text as string), Buffer.of(2)])
  return atomFromUtf8(bytes, 1, bytes.length - 2, plenty)
}

t.test('the bytes of an atom give the interned one, again and again', async t => {
  // More than there are slots for atoms seen lately, so that they push each other out.
  const names = Array.from({ length: 10_000 }, (_, i) => `atom ${i} of atoms.test`)
  for (let round = 0; round < 2; round++) {
    t.strictSame(
      names.filter(name => fromUtf8(name) !== atom(name)),
      [],
    )
  }
  for (const name of ['', '\ufeffwith a mark', '日本', '😀', 'x'.repeat(255), '😀'.repeat(255)]) t.equal(fromUtf8(name), atom(name), name)
})

t.test('true, false and nil', async t => {
  t.strictSame(['true', 'false', 'nil'].map(fromUtf8), [true, false, null])
  for (const term of [true, false, null, atom('ok')]) {
    t.type(atomOfTerm(term), Atom)
    t.equal(termOfAtom(atomOfTerm(term)), term)
  }
  t.equal(atomOfTerm(null), Atom.intern('nil'))
})

t.test('Latin-1', async t => {
  t.equal(atomFromLatin1(Buffer.from('grün', 'latin1'), 0, 4, plenty), atom('grün'))
  t.equal(atomFromLatin1(Buffer.from('green'), 0, 5, plenty), atom('green'))
  t.equal(atomFromLatin1(Buffer.from('ok\xe5', 'latin1'), 0, 2, plenty), atom('ok'), 'only the bytes that are its own')
})

t.test('what is no atom', async t => {
  for (const hex of ['ff', 'c080', 'eda080', 'f4908080', 'e697', '61c3']) {
    t.throws(() => fromUtf8(Buffer.from(hex, 'hex')), { code: 'ETF_ATOM', offset: 1 }, hex)
  }
  t.throws(() => fromUtf8('x'.repeat(256)), { code: 'ETF_ATOM' })
  t.throws(() => fromUtf8('😀'.repeat(256)), { code: 'ETF_ATOM' })
})

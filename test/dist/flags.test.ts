import { readFileSync } from 'node:fs'
import t from 'tap'
import { checkFlags, expandFlags, type FlagName, flagNames, flags, mandatoryFlags, offeredFlags } from '../../src/dist/flags.js'

interface Row {
  readonly bit: number
  readonly name: FlagName
  readonly mandatory: 25 | 26 | null
  readonly offered: boolean | 'visible'
}

const spec: readonly Row[] = JSON.parse(readFileSync(new URL('../../spec/flags.json', import.meta.url), 'utf8')).flags

t.test('spec/flags.json and the code are the same table', async t => {
  t.strictSame(Object.fromEntries(spec.map(({ name, bit }) => [name, 1n << BigInt(bit)])), flags)
  const bits = (rows: readonly Row[]): bigint => rows.reduce((sum, { bit }) => sum | (1n << BigInt(bit)), 0n)
  t.equal(bits(spec.filter(({ mandatory }) => mandatory === 25)), mandatoryFlags[25])
  t.equal(bits(spec.filter(({ mandatory }) => mandatory !== null)), mandatoryFlags[26])
  t.equal(bits(spec.filter(({ offered }) => offered === true)), offeredFlags({ visible: false }))
  t.equal(bits(spec.filter(({ offered }) => offered !== false)), offeredFlags({ visible: true }))
})

t.test('the mandatory masks are those of OTP', async t => {
  t.equal(mandatoryFlags[25], 0x1070f94n)
  t.equal(mandatoryFlags[26], 0x403070f94n)
})

t.test('what is offered holds all that is mandatory, and never what is not for the wire', async t => {
  const offered = offeredFlags({ visible: true })
  t.equal(offered & mandatoryFlags[26], mandatoryFlags[26])
  t.equal(offered & (flags.LOCAL_EXT | flags.NAME_ME | flags.ATOM_CACHE | flags.HIDDEN_ATOM_CACHE), 0n)
})

t.test('MANDATORY_25_DIGEST stands for the flags of OTP 25', async t => {
  t.equal(expandFlags(flags.MANDATORY_25_DIGEST), flags.MANDATORY_25_DIGEST | mandatoryFlags[25])
  t.equal(expandFlags(flags.SPAWN), flags.SPAWN)
  checkFlags('a@h', expandFlags(flags.MANDATORY_25_DIGEST | flags.V4_NC | flags.UNLINK_ID))
  t.throws(() => checkFlags('a@h', expandFlags(flags.MANDATORY_25_DIGEST)), /a@h lacks .*: UNLINK_ID, V4_NC\./)
})

t.test('flags are told by name', async t => {
  t.strictSame(flagNames(flags.ALIAS | flags.PUBLISHED | (1n << 60n)), ['PUBLISHED', 'ALIAS', '2^60'])
  t.strictSame(flagNames(0n), [])
})

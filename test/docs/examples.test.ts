import t from 'tap'
import { allSnippets, faultsOf, needsBeam, snippetsIn } from './snippets.js'

t.test('where the snippets are', t => {
  const markdown = '# Title\n```ts\nconst a = 1\n```\ntext\n```ts fragment\nno\n```\n```sh\nls\n```\n```ts\nb\n\nc\n```\n'
  t.strictSame(snippetsIn('x.md', markdown), [
    { file: 'x.md', line: 2, code: 'const a = 1' },
    { file: 'x.md', line: 12, code: 'b\n\nc' },
  ])
  const source = '/**\n * Says.\n *\n * @example\n * ```ts\n * f(\n *   1,\n * )\n * ```\n */\nconst ticks = "```"\n'
  t.strictSame(snippetsIn('x.ts', source), [{ file: 'x.ts', line: 5, code: 'f(\n  1,\n)' }])
  t.end()
})

t.test('a wrong example is found', async t => {
  const wrong = [
    { file: 'doc.md', line: 10, code: `import { atom } from 'beamlet'\nconst n: number = atom('x')` },
    { file: 'doc.md', line: 20, code: `throw new Error('at run time')` },
    { file: 'doc.md', line: 30, code: `void Promise.reject(new Error('nobody waits'))` },
    {
      file: 'doc.md',
      line: 40,
      code: `import { atom } from 'beamlet'\nimport assert from 'node:assert/strict'\nassert.equal(atom('a').name, 'a')`,
    },
  ]
  const faults = [...(await faultsOf('wrong', wrong)).values()]
  t.equal(faults.length, 4)
  t.match(faults[0], [/^doc\.md:12 Type 'Atom<"x">' is not assignable to type 'number'/])
  t.match(faults[1], [/at run time/])
  t.match(faults[2], [/nobody waits/])
  t.strictSame(faults[3], [])
})

t.test('the examples that need no BEAM', async t => {
  const snippets = allSnippets().filter(snippet => !needsBeam(snippet))
  for (const [{ file, line }, faults] of await faultsOf('unit', snippets)) t.strictSame(faults, [], `${file}:${line}`)
})

/**
 * A node on whichever Node.js runs this, without a loader: `node newest.ts NAME COOKIE`. Prints a line when others can call it: the version, and the places
 * of its servers. Ends with its standard input.
 */
import process from 'node:process'
import { Node } from 'beamlet'
import type * as Typed from './placed/typed.js'

const typed = new URL('./placed/typed.ts', import.meta.url)
const [name, cookie] = process.argv.slice(2) as [string, string]

const node = await Node.start({ name, cookie, schedulers: { count: 1 } })
await node.code.load('typed', typed, { on: 'pool' })
const { sum } = (await import(String(typed))) as typeof Typed
const places: number[] = []
for (const on of ['main', 'pool', 'isolated'] as const) places.push((await node.start(sum, { name: `sum_${on}`, on })).pid.id % 64)
console.log(JSON.stringify({ version: process.version, places }))

process.stdin.resume().once('end', () => void node.close())

/** A program whose first message goes to a process of another node: `first.mjs NAME COOKIE PROCESS NODE` */
import process from 'node:process'
import { atom, Node } from 'beamlet'

const [name, cookie, to, node] = /** @type {[string, string, string, string]} */ (process.argv.slice(2))

const own = await Node.start({ name, cookie })
own.send({ name: to, node }, atom('here'))
